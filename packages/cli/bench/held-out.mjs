// What pruning costs and saves on the embedded model: accuracy on its held-out questions with all vision tokens, with a
// tenth chosen by MMTok (as published, and with vision coverage on projected tokens), and with a tenth chosen at random;
// and the time its language model takes to read the prompt.
//   node bench/held-out.mjs [--limit 400] [--ratio 0.1] [--json file]
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { saliency } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import { evaluate, heldOut, loadTinyVlm } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

/** Numbers in [0, 1), seeded. */
function randomNumbers(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 0) / 2 ** 32;
  };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Every k-th question, so that all kinds are in it: the questions of the held-out set are ordered by image. */
const spread = (questions, limit) => questions.filter((_, i) => (i * limit) % questions.length < limit);

/**
 * Asks the held-out questions in several ways, or in those that `only` names.
 * @returns for each way its evaluation, its answers and its median prefill time in ms.
 */
export async function compare({ limit = 400, ratio = 0.1, only } = {}) {
  const questions = spread(await heldOut(), limit);
  const vlm = await loadTinyVlm();
  const backend = await createOrtBackend();
  const random = randomNumbers(1);
  const handle = prune(vlm.model, { processor: vlm.processor, backend, budget: { ratio } });
  const ways = {
    all: () => false,
    mmtok: (question) => ({ question }),
    projected: (question) => ({ question, visionFeatures: 'projected' }),
    random: () => ({
      coverage: [saliency({ input: 'lot' })],
      inputs: { lot: Array.from({ length: 256 }, () => [random()]) },
    }),
  };
  const chosen = Object.entries(ways).filter(([way]) => only?.includes(way) ?? true);
  const answers = Object.fromEntries(chosen.map(([way]) => [way, []]));
  const prefill = Object.fromEntries(chosen.map(([way]) => [way, []]));
  const kept = {};
  // Question by question, so that whatever else the machine does slows all ways alike.
  for (const { image, question } of questions) {
    for (const [way, override] of chosen) {
      answers[way].push(await vlm.ask(image, question, { mmtok: override(question) }));
      prefill[way].push(handle.lastSelection.timings.prefillMs);
      kept[way] = handle.lastSelection.tokensAfter;
    }
  }
  const results = {};
  for (const [way] of chosen) {
    const given = answers[way].values();
    const evaluation = await evaluate({ questions, answer: async () => given.next().value });
    results[way] = {
      ...evaluation,
      answers: answers[way],
      prefillMs: median(prefill[way]),
      kept: kept[way],
    };
  }
  handle.detach();
  await vlm.model.dispose();
  await backend.dispose();
  return { questions: questions.length, results };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      limit: { type: 'string', default: '400' },
      ratio: { type: 'string', default: '0.1' },
      json: { type: 'string' },
    },
  });
  const { questions, results } = await compare({ limit: Number(values.limit), ratio: Number(values.ratio) });
  const { all } = results;
  const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
  const cell = (text, width) => String(text).padStart(width);
  console.log(`${questions} held-out questions, embedded model\n`);
  console.log(
    `${'kind'.padEnd(12)}${Object.keys(results)
      .map((way) => cell(way, 10))
      .join('')}`,
  );
  for (const kind of Object.keys(all.byKind)) {
    const row = Object.values(results).map(({ byKind }) =>
      cell(percent(byKind[kind].correct, byKind[kind].total), 10),
    );
    console.log(`${kind.padEnd(12)}${row.join('')}`);
  }
  const line = (label, value) =>
    console.log(
      `${label.padEnd(12)}${Object.values(results)
        .map((r) => cell(value(r), 10))
        .join('')}`,
    );
  line('overall', (r) => percent(r.overall.correct, r.overall.total));
  line('tokens', (r) => r.kept);
  line('same answer', (r) =>
    percent(r.answers.filter((answer, i) => answer === all.answers[i]).length, questions),
  );
  line('prefill ms', (r) => r.prefillMs.toFixed(2));
  console.log(
    `\nPrefill with a tenth of the tokens: ${(all.prefillMs / results.mmtok.prefillMs).toFixed(1)} times as fast.`,
  );
  if (values.json) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
}
