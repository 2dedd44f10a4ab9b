// Cost and benefit of pruning on the embedded model: accuracy on its held-out questions with all vision tokens, with a tenth chosen by
// MMTok (as published, with vision coverage on projected tokens, and with a focus on the question), and with a random tenth; and
// the median prefill time.
//   node bench/held-out.mjs [--limit 270] [--ratio 0.1] [--size small] [--json file]
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RawImage } from '@huggingface/transformers';
import { saliency, visionCoverage } from '@mmtok/core';
import { createRandom } from '@mmtok/core/internal';
import { createOrtBackend } from '@mmtok/ort-backend';
import { buildPrompt, evaluate, heldOut, loadTinyVlm } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/**
 * Asks the held-out questions, or the first `limit` of them, in several variants, or in those that `only` names.
 * @returns for each variant its evaluation, its answers, its number of kept tokens, and its median prefill time in ms.
 */
export async function compare({ limit, ratio = 0.1, size = 'base', only } = {}) {
  const questions = await heldOut({ limit });
  const { model, processor } = await loadTinyVlm({ size });
  const backend = await createOrtBackend();
  const random = createRandom(1);
  // 'reselect' caches encoded images, so the encoder runs once for all variants and questions of an image.
  const handle = prune(model, { processor, backend, budget: { ratio }, followUps: 'reselect' });
  const focused = [visionCoverage({ focus: 3 })];
  const ways = {
    all: () => ({ budget: { ratio: 1 } }),
    mmtok: () => ({}),
    projected: () => ({ visionFeatures: 'projected' }),
    focused: () => ({ coverage: focused }),
    random: (tokens) => ({
      coverage: [saliency({ input: 'random' })],
      inputs: { random: Array.from({ length: tokens }, () => [random()]) },
    }),
  };
  const chosen = Object.entries(ways).filter(([way]) => only?.includes(way) ?? true);
  const measured = Object.fromEntries(chosen.map(([way]) => [way, { answers: [], prefill: [], kept: 0 }]));
  let read;
  const order = createRandom(2);
  for (const { image, question } of questions) {
    if (read?.path !== image) read = { path: image, pixels: await RawImage.read(image) };
    const inputs = await processor(read.pixels, buildPrompt(question));
    const [{ vision: tokens }] = handle.countTokens(inputs);
    // Interleaved per question and in random order: background load affects all variants equally, and no variant always runs right
    // after the long prompt, which slows the next one.
    const shuffled = chosen.map((each) => ({ each, key: order() })).toSorted((a, b) => a.key - b.key);
    for (const { each } of shuffled) {
      const [way, override] = each;
      const sequences = await handle.generate({ ...inputs, mmtok: { question, ...override(tokens) } });
      const written = sequences.slice(null, [inputs.input_ids.dims.at(-1), null]);
      const { keptTokens, timings } = handle.lastReport;
      measured[way].answers.push(processor.batch_decode(written, { skip_special_tokens: true })[0]);
      measured[way].prefill.push(timings.prefillMs);
      measured[way].kept = keptTokens;
    }
  }
  const results = {};
  for (const [way, { answers, prefill, kept }] of Object.entries(measured)) {
    const given = answers.values();
    const evaluation = await evaluate({ questions, answer: async () => given.next().value });
    results[way] = { ...evaluation, answers, prefillMs: median(prefill), kept };
  }
  await handle.restore();
  await model.dispose();
  await backend.dispose();
  return { questions: questions.length, results };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      limit: { type: 'string' },
      ratio: { type: 'string', default: '0.1' },
      size: { type: 'string', default: 'base' },
      json: { type: 'string' },
    },
  });
  const { questions, results } = await compare({
    limit: values.limit === undefined ? undefined : Number(values.limit),
    ratio: Number(values.ratio),
    size: values.size,
  });
  const { all } = results;
  const percent = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
  const cell = (text, width) => String(text).padStart(width);
  console.log(`${questions} held-out questions, the ${values.size} embedded model\n`);
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
    `\nPrefill with ${results.mmtok.kept} of ${all.kept} tokens: ${(all.prefillMs / results.mmtok.prefillMs).toFixed(1)} times as fast.`,
  );
  if (values.json) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`);
}
