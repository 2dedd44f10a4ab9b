// The embedded benchmarks, many prompts per call. Methods choose from the same features and with the same seeds as in
// `mmtok eval shapes`, but the language model does not write answers. It reads the prompt and the right answer, for all selections of
// one length at once. A selection scores 1 if every token of the answer, and the end token after it, is the most likely next one:
// then greedy decoding writes that answer. No times are measured. `--check` also lets the model write, and reports where the two
// differ (in half precision, ties may).
//   node bench/score.mjs --out run [--model base|small|tiled] [--methods all|a,b,./mine.mjs] [--keep 10%,16,8,4]
//                        [--agents agents.mjs] [--limit 450] [--shard 0/2] [--check]
// Appends to <out>/records.jsonl, and skips what is there. Read them with ahead.mjs and tables.mjs. `all` leaves out methods that need an
// agent or another resolution. Methods with an agent need `--agents`: a module that exports `agent` and `oracle`, functions from a
// question to the words that are added to it, and `dispose`, such as packages/agent/bench/answers.mjs.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { parseBudget } from '@mmtok/core';
import { resolveBudget } from '@mmtok/core/internal';
import { createOrtBackend } from '@mmtok/ort-backend';
import { heldOut } from '@mmtok/tiny-vlm';
import { builtInMethods, findMethods } from '../dist/index.js';
import { openBatched } from './batched-model.mjs';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    model: { type: 'string', default: 'base' },
    methods: { type: 'string', default: 'all' },
    keep: { type: 'string', default: '10%,16,8,4' },
    agents: { type: 'string' },
    limit: { type: 'string' },
    shard: { type: 'string', default: '0/1' },
    check: { type: 'boolean', default: false },
  },
});
if (values.out === undefined)
  throw new Error('Usage: node bench/score.mjs --out <run> [options in the file]');

const importFile = (path) => import(pathToFileURL(resolve(path)).href);

/** Whether a method needs neither an agent nor another resolution. */
const isPlain = ({ agent, needs }) => agent === undefined && !needs.includes('resolution');

/** The methods that `--methods` names. */
async function methodsOf(names) {
  const found = await Promise.all(
    names.map(async (name) => {
      if (name === 'all') return builtInMethods.filter(isPlain);
      if (!name.endsWith('.mjs')) return findMethods([name]);
      const { default: own } = await importFile(name);
      return Array.isArray(own) ? own : [own];
    }),
  );
  return found.flat();
}

/** The seed of a question, as `mmtok eval` derives it from `--seed 0`. */
function seedOf(id) {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(`0 ${id}`)) state = Math.imul(state ^ byte, 0x01000193);
  return state >>> 1;
}

const model = await openBatched(values.model);
const methods = await methodsOf(values.methods.split(','));
const agents = values.agents === undefined ? undefined : await importFile(values.agents);
if (agents === undefined && methods.some(({ agent }) => agent !== undefined))
  throw new Error('Methods with an agent need --agents');
const budgets = values.keep.split(',').map((text) => ({ text, budget: parseBudget(text) }));
const backend = await createOrtBackend({ sessionOptions: { intraOpNumThreads: 1 } });
const [shard, shards] = values.shard.split('/').map(Number);
const questions = await heldOut({
  size: values.model,
  ...(values.limit !== undefined && { limit: Number(values.limit) }),
});
mkdirSync(values.out, { recursive: true });
const file = join(values.out, 'records.jsonl');
const keyOf = ({ id, method, budget }) => `${id} ${method} ${budget}`;
const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
const known = new Set(lines.map((line) => keyOf(JSON.parse(line))));
const checked = { same: 0, different: 0 };

for (const [at, asked] of questions.entries()) {
  if (at % shards !== shard) continue;
  const id = `${basename(asked.image)}#${at}`;
  const jobs = [
    { id, method: 'all', budget: 'all' },
    ...budgets.flatMap(({ text, budget }) =>
      methods.map((own) => ({ id, method: own.name, budget: text, own, parsed: budget })),
    ),
  ].filter((job) => !known.has(keyOf(job)));
  if (jobs.length === 0) continue;
  const { inputs, features, textWith, count, score } = await model.prepare(asked);
  const every = Array.from({ length: count }, (_, token) => token);
  /** The features with each agent's words, as they are needed. */
  const enriched = {};
  const featuresFor = async ({ agent }) => {
    if (agent === undefined) return features;
    if (enriched[agent] === undefined) {
      const words = await agents[agent](asked);
      enriched[agent] = words.length === 0 ? features : { ...features, text: await textWith(words) };
    }
    return enriched[agent];
  };
  for (const job of jobs) {
    const tokens = job.parsed === undefined ? count : resolveBudget(job.parsed, count).max;
    const request = { tokens, backend, seed: seedOf(id) };
    const picks = job.own && (await job.own.select(await featuresFor(job.own), request));
    job.indices = (picks ?? every).toSorted((a, b) => a - b);
  }
  const scores = await score(jobs.map(({ indices }) => indices));
  for (const [i, { method, budget, indices }] of jobs.entries()) {
    const value = scores[i];
    if (values.check && indices.length < count) {
      const text = await model.write(inputs, asked.question, indices.length, async () => indices);
      if ((text === asked.answer) === (value === 1)) checked.same++;
      else checked.different++;
    }
    const record = { id, method, budget, kind: asked.kind, keptTokens: indices.length, score: { value } };
    appendFileSync(file, `${JSON.stringify(record)}\n`);
  }
}
if (values.check) console.log(`${checked.same} scores as written, ${checked.different} different`);
await agents?.dispose();
await model.close();
await backend.dispose();
