// Measures what an agent contributes: accuracy of the embedded model on its held-out questions at small budgets, with the question
// alone and with an agent's words. The agents: an oracle (the true answer, which bounds what any agent can contribute), a model (the
// small embedded model), and one that is always wrong. `auto` asks only about vague questions. Needs built packages. `--agent base`
// makes the embedded model itself the agent, `--agent <folder>` another one; `--kind <kind>` and `--limit <n>` select questions;
// `--every-word` disables the rules of enrichment; `--write` writes the tables to apps/docs/results/agents.md.

import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { RawImage } from '@huggingface/transformers';
import { agentFrom, createAgent } from '@mmtok/agent';
import { createOrtBackend } from '@mmtok/ort-backend';
import { buildPrompt, heldOut, modelPath, smallModelPath } from '@mmtok/tiny-vlm';
import { loadVlm, prune } from '@mmtok/transformers';
import { formatReport } from './worth-it-report.mjs';

const BUDGETS = [4, 8, 16, 32, 64];
const THRESHOLD = 0.5;
/** Room for the longest answer, a phrase of five words. */
const MAX_NEW_TOKENS = 8;
const MODELS = { small: smallModelPath, base: modelPath };

const { values } = parseArgs({
  options: {
    agent: { type: 'string', default: 'small' },
    kind: { type: 'string' },
    limit: { type: 'string' },
    'every-word': { type: 'boolean' },
    write: { type: 'boolean' },
  },
});
const rules = values['every-word'] ? { drop: [], suppressRepeats: false, answerStopWords: [] } : {};

const questions = (await heldOut())
  .filter(({ kind }) => values.kind === undefined || kind === values.kind)
  .slice(0, Number(values.limit ?? Number.POSITIVE_INFINITY));
const { model, processor } = await loadVlm(modelPath);
const backend = await createOrtBackend();
// 'reselect' caches encoded images, so the encoder runs once for all agents and budgets.
const handle = prune(model, { processor, backend, budget: { ratio: 1 }, followUps: 'reselect' });
const agent = await createAgent({
  model: MODELS[values.agent] ?? values.agent,
  maxNewTokens: MAX_NEW_TOKENS,
  enrichment: rules,
});

const records = [];
for (const [at, asked] of questions.entries()) records.push(await examine(asked, at));
await agent.dispose();
await handle.restore();
await model.dispose();
await backend.dispose();

const report = formatReport({ records, budgets: BUDGETS, threshold: THRESHOLD, agent: values.agent });
console.log(report);
if (values.write) await writeReport(report);

/** Asks one question with each agent at each budget: whether the answers are correct, and times. */
async function examine({ image: path, question, answer, kind }, at) {
  const image = await RawImage.read(path);
  const started = performance.now();
  const inputs = await processor(image, buildPrompt(question));
  const prepareMs = performance.now() - started;
  const ask = async (mmtok) => {
    const sequences = await handle.generate({ ...inputs, max_new_tokens: MAX_NEW_TOKENS, mmtok });
    const written = sequences.slice(null, [inputs.input_ids.dims.at(-1), null]);
    const text = processor.batch_decode(written, { skip_special_tokens: true })[0];
    return { isRight: isSame(text, answer), ...handle.lastReport };
  };
  const whole = await ask({ budget: { ratio: 1 } });
  const { encodeMs } = whole.timings;
  const right = { all: [whole.isRight] };
  const prunedMs = [];

  right.none = [];
  for (const tokens of BUDGETS) {
    const { isRight, timings } = await ask({ budget: { tokens } });
    right.none.push(isRight);
    prunedMs.push(timings.selectMs + timings.prefillMs + timings.decodeMs);
  }

  const own = await agent(image, question);
  // The same words lead to the same selection, so they need no separate runs.
  const known = new Map([['', right.none]]);
  for (const [name, reply] of Object.entries({
    oracle: answer,
    agent: own.answer,
    wrong: wrongAnswer(kind, answer, at),
  })) {
    const stand = agentFrom(() => reply, rules);
    const words = (await stand(image, question)).added.join(' ');
    if (!known.has(words)) {
      const answers = [];
      for (const tokens of BUDGETS) {
        answers.push((await ask({ budget: { tokens }, agent: stand, images: [image] })).isRight);
      }
      known.set(words, answers);
    }
    right[name] = known.get(words);
  }

  const auto = { ask: agentFrom(() => ''), when: 'auto', threshold: THRESHOLD };
  const { prompts } = await ask({ budget: { tokens: BUDGETS[0] }, agent: auto, images: [image] });
  // If `auto` does not ask, the selection is that of the question alone.
  const isVague = prompts[0].agent.informativeness < THRESHOLD;
  right.autoOracle = isVague ? right.oracle : right.none;
  right.autoAgent = isVague ? right.agent : right.none;
  return {
    kind,
    right,
    isVague,
    isAgentRight: isSame(own.answer, answer),
    // Images already encoded for an earlier question have no encode time.
    ...(encodeMs > 0 && { encodeMs }),
    prepareMs,
    prunedMs,
    agentMs: own.timings.totalMs,
  };
}

function isSame(text, answer) {
  return text.trim().toLowerCase() === answer;
}

/** A different answer, from another question of the same kind. */
function wrongAnswer(kind, answer, at) {
  const others = [...questions.slice(at), ...questions.slice(0, at)];
  return others.find((other) => other.kind === kind && other.answer !== answer)?.answer ?? '';
}

async function writeReport(text) {
  const page = new URL('../../../apps/docs/results/agents.md', import.meta.url);
  const before = await readFile(page, 'utf8');
  const marks = /(<!-- measured:start -->\n)[\s\S]*(<!-- measured:end -->)/;
  if (!marks.test(before)) {
    throw new Error(
      'apps/docs/results/agents.md lacks the lines <!-- measured:start --> and <!-- measured:end -->; put them back.',
    );
  }
  await writeFile(
    page,
    before.replace(marks, (_, start, end) => `${start}\n${text}\n${end}`),
  );
}
