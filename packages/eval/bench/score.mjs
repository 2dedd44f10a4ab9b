// The embedded benchmarks, many prompts per call. Methods choose from the same features and with the same seeds as in
// `mmtok eval shapes`, but the language model does not write answers. It reads the prompt and the right answer, for all selections of
// one length at once. A selection scores 1 if every token of the answer, and the end token after it, is the most likely next one:
// then greedy decoding writes that answer. This is several times faster on a busy machine, and measures no times. `--check` also
// lets the model write, and reports where the two differ (in half precision, ties may).
//   node bench/score.mjs --out run [--model base|small|tiled] [--methods all|a,b,./mine.mjs] [--keep 10%,16,8,4]
//                        [--limit 450] [--shard 0/2] [--check]
// Appends to <out>/records.jsonl, and skips what is there. Read them with ahead.mjs and tables.mjs. Methods that need an agent, positions
// of tokens, or another resolution are left out of `all`.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { parseBudget } from '@mmtok/core';
import { resolveBudget } from '@mmtok/core/internal';
import { createOrtBackend } from '@mmtok/ort-backend';
import { buildPrompt, heldOut, loadTinyVlm } from '@mmtok/tiny-vlm';
import { processInputs, prune } from '@mmtok/transformers';
import { builtInMethods, findMethods } from '../dist/index.js';

const { values } = parseArgs({
  options: {
    out: { type: 'string' },
    model: { type: 'string', default: 'base' },
    methods: { type: 'string', default: 'all' },
    keep: { type: 'string', default: '10%,16,8,4' },
    limit: { type: 'string' },
    shard: { type: 'string', default: '0/1' },
    check: { type: 'boolean', default: false },
  },
});
if (values.out === undefined)
  throw new Error('Usage: node bench/score.mjs --out <run> [options in the file]');

/** Whether the features of an image and a question are all that a method needs. */
const isPlain = ({ agent, needs }) =>
  agent === undefined && needs.every((need) => need === 'question' || need === 'saliency');

/** The methods that `--methods` names. */
async function methodsOf(names) {
  const found = await Promise.all(
    names.map(async (name) => {
      if (name === 'all') return builtInMethods.filter(isPlain);
      if (!name.endsWith('.mjs')) return findMethods([name]);
      const { default: own } = await import(pathToFileURL(resolve(name)).href);
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

const { model, processor, tokenizer, library } = await loadTinyVlm({
  size: values.model,
  session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
});
const { Tensor, RawImage } = library;
const { decoder_model_merged: decoder } = model.sessions;
const { image_token_id, image_token_index = image_token_id } = model.config;
const handle = prune(model, {
  processor,
  budget: { ratio: 1 },
  minVisionTokens: 1,
  followUps: 'reselect',
});

/** Lets the model write an answer with the tokens that `select` chooses. */
async function write(inputs, question, tokens, select, max_new_tokens = 8) {
  const mmtok = { budget: { tokens }, question, select };
  const sequences = await handle.generate({ ...inputs, max_new_tokens, do_sample: false, mmtok });
  const written = sequences.slice(null, [inputs.input_ids.dims.at(-1), null]);
  return processor.batch_decode(written, { skip_special_tokens: true })[0].trim().toLowerCase();
}

/** A question's features, and a function that scores selections of one length. */
async function prepare({ image, question, answer }) {
  const images = [await RawImage.read(image)];
  const prompt = buildPrompt(question);
  const inputs = await processInputs(library, processor, { prompt, images, config: model.config });
  let features;
  const look = async (given) => {
    features = given;
    return [0];
  };
  await write(inputs, question, 1, look, 1);
  const target = [
    ...tokenizer.encode(answer, { add_special_tokens: false }),
    model.generation_config.eos_token_id,
  ]
    .flat()
    .map(Number);
  const ids = [...Array.from(inputs.input_ids.data, Number), ...target.slice(0, -1)];
  const embedded = await model.sessions.embed_tokens.run({
    input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]).ort_tensor,
  });
  const { data: rows } = embedded.inputs_embeds;
  const { data: tokens, dims } = features.vision;
  const [count, width] = dims;
  const score = async (lists) => {
    const length = ids.length - count + lists[0].length;
    const shape = [lists.length, length];
    const embeds = new Float32Array(lists.length * length * width);
    let at = 0;
    const put = (source, row) => {
      embeds.set(source.subarray(row * width, (row + 1) * width), at);
      at += width;
    };
    for (const list of lists) {
      const kept = new Set(list);
      let token = 0;
      for (const [place, id] of ids.entries()) {
        if (id !== image_token_index) put(rows, place);
        else if (kept.has(token++)) put(tokens, token - 1);
      }
    }
    if (at !== embeds.length) throw new Error(`The prompt of '${question}' has not ${count} vision tokens.`);
    const integers = (valueAt) =>
      new Tensor(
        'int64',
        BigInt64Array.from({ length: shape[0] * length }, (_, i) => BigInt(valueAt(i))),
        shape,
      ).ort_tensor;
    const feeds = {
      inputs_embeds: new Tensor('float32', embeds, [...shape, width]).ort_tensor,
      attention_mask: integers(() => 1),
      position_ids: integers((i) => i % length),
    };
    for (const { name, type, shape: past } of decoder.inputMetadata.filter(({ name }) =>
      name.startsWith('past'),
    )) {
      const none = type === 'float16' ? new Uint16Array(0) : new Float32Array(0);
      feeds[name] = new Tensor(type, none, [lists.length, past[1], 0, past[3]]).ort_tensor;
    }
    const { logits } = await decoder.run(feeds, ['logits']);
    const words = logits.dims[2];
    const likeliest = (row) => {
      const scores = logits.data.subarray(row * words, (row + 1) * words);
      return scores.indexOf(scores.reduce((best, one) => Math.max(best, one)));
    };
    return lists.map((_, b) => {
      const first = (b + 1) * length - target.length;
      return target.every((id, i) => likeliest(first + i) === id) ? 1 : 0;
    });
  };
  return { inputs, features, count, score };
}

const methods = await methodsOf(values.methods.split(','));
const budgets = values.keep.split(',').map((text) => ({ text, budget: parseBudget(text) }));
const backend = await createOrtBackend();
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
  const { inputs, features, count, score } = await prepare(asked);
  const every = Array.from({ length: count }, (_, token) => token);
  for (const job of jobs) {
    const tokens = job.parsed === undefined ? count : resolveBudget(job.parsed, count).max;
    const picks = job.own && (await job.own.select(features, { tokens, backend, seed: seedOf(id) }));
    job.indices = (picks ?? every).toSorted((a, b) => a - b);
  }
  // The same tokens are asked about once, and as many as fit into a batch at a time.
  const scores = new Map();
  const distinct = [...new Map(jobs.map(({ indices }) => [indices.join(), indices])).values()];
  for (const length of new Set(distinct.map((list) => list.length))) {
    const lists = distinct.filter((list) => list.length === length);
    const most = Math.max(1, Math.floor(2048 / length));
    for (let from = 0; from < lists.length; from += most) {
      const batch = lists.slice(from, from + most);
      for (const [i, value] of (await score(batch)).entries()) scores.set(batch[i].join(), value);
    }
  }
  for (const { method, budget, indices } of jobs) {
    const value = scores.get(indices.join());
    if (values.check && indices.length < count) {
      const text = await write(inputs, asked.question, indices.length, async () => indices);
      if ((text === asked.answer) === (value === 1)) checked.same++;
      else checked.different++;
    }
    const record = { id, method, budget, kind: asked.kind, keptTokens: indices.length, score: { value } };
    appendFileSync(file, `${JSON.stringify(record)}\n`);
  }
}
if (values.check) console.log(`${checked.same} scores as written, ${checked.different} different`);
await handle.restore();
await model.dispose();
await backend.dispose();
