// What choosing tiles costs and saves on the embedded tiled model: score on its held-out questions and time from pixels to the first
// token, with all tiles and tokens, with a tenth of the tokens, with some of the tiles, with both, and what reached the same by other
// means: a smaller picture, and tiles by chance, by relevance alone, or by detail alone. Prints a Markdown table with 95 % intervals
// by paired bootstrap over questions.
//   node bench/tiles.mjs [--limit 220] [--max 5] [--ratio 0.1] [--focus 0] [--json file]
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RawImage } from '@huggingface/transformers';
import { rankTiles, visionCoverage } from '@mmtok/core';
import { createRandom } from '@mmtok/core/internal';
import { meanDifference, retention } from '@mmtok/eval';
import { createOrtBackend } from '@mmtok/ort-backend';
import { buildPrompt, heldOut, loadTinyVlm, TILED_SCENE_SIZE, tiledQuestionKinds } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

/** So many questions are asked in one way before the next way asks the same ones. */
const BLOCK = 20;

const byDetail = (facts) => rankTiles({ ...facts, focus: 0 }).order;
const byRelevance = (facts) => rankTiles({ ...facts, detail: facts.detail.map(() => 1) }).order;

/** The ways to ask: how many tiles, in which order, how many tokens, and whether the picture is halved first. */
function waysOf({ max, ratio, random }) {
  const byChance = ({ grid: [rows, columns] }) =>
    Array.from({ length: rows * columns }, (_, tile) => ({ tile, lot: random() }))
      .toSorted((a, b) => a.lot - b.lot)
      .map(({ tile }) => tile);
  const few = { budget: { ratio } };
  const every = { budget: { ratio: 1 } };
  return {
    all: every,
    'tokens only': few,
    'tiles only': { ...every, tiles: { max } },
    'tiles and tokens': { ...few, tiles: { max } },
    resize: { ...every, halved: true },
    'resize and tokens': { ...few, halved: true },
    'random tiles, all their tokens': { ...every, tiles: { max, by: byChance } },
    'random tiles and tokens': { ...few, tiles: { max, by: byChance } },
    'tiles by relevance alone, and tokens': { ...few, tiles: { max, by: byRelevance } },
    'tiles by detail alone, and tokens': { ...few, tiles: { max, by: byDetail } },
  };
}

/** A picture of half the side, by the mean of every 2 × 2 pixels. */
function halve({ data, width, height, channels }) {
  const half = new Uint8ClampedArray((data.length / 4) | 0);
  const at = (x, y, channel) => data[(y * width + x) * channels + channel];
  for (let y = 0; y < height / 2; y++) {
    for (let x = 0; x < width / 2; x++) {
      for (let channel = 0; channel < channels; channel++) {
        const [left, top] = [2 * x, 2 * y];
        const sum =
          at(left, top, channel) +
          at(left + 1, top, channel) +
          at(left, top + 1, channel) +
          at(left + 1, top + 1, channel);
        half[(y * (width / 2) + x) * channels + channel] = sum / 4;
      }
    }
  }
  return new RawImage(half, width / 2, height / 2, channels);
}

/**
 * Asks the held-out questions, or the first `limit` of them, in every way.
 * @returns for each way: scores and times from pixels by question, its median phases in ms, and how many tokens it kept.
 */
export async function compareTiles({ limit, max = 5, ratio = 0.1, focus = 0 } = {}) {
  const questions = await heldOut({ size: 'tiled', limit });
  const { model, processor } = await loadTinyVlm({ size: 'tiled' });
  const backend = await createOrtBackend();
  const handle = prune(model, {
    processor,
    backend,
    budget: { ratio },
    ...(focus > 0 && { coverage: [visionCoverage({ focus })] }),
  });
  const ways = Object.entries(waysOf({ max, ratio, random: createRandom(1) }));
  const measured = Object.fromEntries(
    ways.map(([way]) => [way, { scores: [], times: [], encode: [], select: [], prefill: [], kept: 0 }]),
  );
  const lots = createRandom(2);
  const { size } = processor.image_processor;
  /** Runs one way, and takes its time. */
  const ask = async (pictures, question, { halved, ...override }) => {
    const started = performance.now();
    processor.image_processor.size = halved ? { longest_edge: TILED_SCENE_SIZE / 2 } : size;
    const inputs = await processor(buildPrompt(question), [halved ? pictures.half() : pictures.whole]);
    const processMs = performance.now() - started;
    // A halved picture keeps as many tokens as the others, of fewer.
    const budget = halved && ratio === override.budget.ratio ? { tokens: pictures.tenth } : override.budget;
    const sequences = await handle.generate({ ...inputs, mmtok: { question, ...override, budget } });
    const written = sequences.slice(null, [inputs.input_ids.dims.at(-1), null]);
    const [answer] = processor.batch_decode(written, { skip_special_tokens: true });
    const { keptTokens, timings } = handle.lastReport;
    return { answer, keptTokens, ...timings, processMs };
  };
  const tokensOf = async (picture) => handle.countTokens(await processor('<image>', [picture]))[0].vision;
  const picturesOf = async ({ image }) => {
    const whole = await RawImage.read(image);
    processor.image_processor.size = size;
    return { whole, half: () => halve(whole), tenth: Math.round(ratio * (await tokensOf(whole))) };
  };
  // Ways take turns, block by block and in random order, so that whatever else the machine does slows all of them alike.
  // Within a block every prompt has the same shape, as in an application.
  for (let start = 0; start < questions.length; start += BLOCK) {
    const block = questions.slice(start, start + BLOCK);
    const pictures = await Promise.all(block.map(picturesOf));
    const drawn = ways.map((way) => ({ way, lot: lots() })).toSorted((a, b) => a.lot - b.lot);
    for (const {
      way: [name, way],
    } of drawn) {
      const own = measured[name];
      // Warms up.
      await ask(pictures[0], block[0].question, way);
      for (const [at, { question, answer: expected }] of block.entries()) {
        const { answer, keptTokens, processMs, encodeMs, selectMs, prefillMs } = await ask(
          pictures[at],
          question,
          way,
        );
        own.scores.push(answer.trim() === expected ? 1 : 0);
        own.times.push(processMs + encodeMs + selectMs + prefillMs);
        own.encode.push(encodeMs);
        own.select.push(selectMs);
        own.prefill.push(prefillMs);
        own.kept = keptTokens;
      }
    }
  }
  await handle.restore();
  await model.dispose();
  await backend.dispose();
  return { questions, measured };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      limit: { type: 'string' },
      max: { type: 'string', default: '5' },
      ratio: { type: 'string', default: '0.1' },
      focus: { type: 'string', default: '0' },
      json: { type: 'string' },
    },
  });
  const { questions, measured } = await compareTiles({
    limit: values.limit === undefined ? undefined : Number(values.limit),
    max: Number(values.max),
    ratio: Number(values.ratio),
    focus: Number(values.focus),
  });
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify({ questions, measured }));
  const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const points = (share) => (100 * share).toFixed(1);
  const between = ({ value, low, high }, format) => `${format(value)} (${format(low)} to ${format(high)})`;
  const { all, 'tiles and tokens': chosen } = measured;
  const scoreOf = ({ scores }, kinds) =>
    points(mean(scores.filter((_, at) => kinds === undefined || kinds.includes(questions[at].kind))));
  const print = (cells) => console.log(`| ${cells.join(' | ')} |`);
  console.log(
    `${questions.length} held-out questions, ${values.max} of 17 tiles, ${values.ratio} of the tokens\n`,
  );
  print([
    'way',
    'tokens',
    'score',
    'of all',
    'tiles and tokens ahead by',
    'encoder',
    'time from pixels',
    'ms',
  ]);
  print(['---', ...Array(7).fill('---:')]);
  for (const [way, own] of Object.entries(measured)) {
    print([
      way,
      own.kept,
      scoreOf(own),
      way === 'all' ? '100' : between(retention(all.scores, own.scores), points),
      own === chosen ? '' : between(meanDifference(own.scores, chosen.scores), points),
      `${points(mean(own.encode) / mean(all.encode))} %`,
      way === 'all' ? '100 %' : `${between(retention(all.times, own.times), points)} %`,
      `${mean(own.times).toFixed(1)} (${['encode', 'select', 'prefill'].map((phase) => mean(own[phase]).toFixed(1)).join(' + ')})`,
    ]);
  }
  console.log('\nScore by kind of question\n');
  const kinds = tiledQuestionKinds.filter((kind) => questions.some((question) => question.kind === kind));
  print(['way', ...kinds]);
  print(['---', ...kinds.map(() => '---:')]);
  for (const [way, own] of Object.entries(measured))
    print([way, ...kinds.map((kind) => scoreOf(own, [kind]))]);
}
