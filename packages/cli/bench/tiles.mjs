// What choosing tiles costs and saves on the embedded tiled model: score, encoder time, and time from pixels to the first token with
// all tiles and tokens, with fewer tokens, with some of the tiles, with both, and with what else costs as little: a smaller image, the
// same number of tiles for every question, and tiles by chance, by relevance alone, or by detail alone. Prints a Markdown table with
// 95 % intervals by paired bootstrap over questions.
//   node bench/tiles.mjs [--limit 440] [--from 0] [--worth 0.2] [--most 11] [--coverage 0.73] [--least 20] [--focus 2]
//                        [--max 7] [--ratio 0.1] [--repeats 1] [--ways a,b] [--questions folder] [--json file]
//   node bench/tiles.mjs --merge file,file
// --worth, --most, --coverage, and --least set tiles and tokens by question; --max and --ratio set the same number for every question.
// --repeats asks each question that often in each way; the fastest call counts. --questions reads questions.jsonl and scenes.jsonl from a
// folder, as written by `python -m tiny_vlm questions --preset tiled --split validation` in training/, instead of the held-out ones.
// --merge prints the tables of runs over different questions, each saved with --json.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { RawImage } from '@huggingface/transformers';
import { rankTiles } from '@mmtok/core';
import { createRandom } from '@mmtok/core/internal';
import { meanDifference, retention } from '@mmtok/eval';
import { createOrtBackend } from '@mmtok/ort-backend';
import {
  buildPrompt,
  drawScene,
  heldOut,
  TILED_SCENE_SIZE,
  tiledModelPath,
  tiledQuestionKinds,
} from '@mmtok/tiny-vlm';
import { loadVlm, processInputs, prune } from '@mmtok/transformers';

/** So many questions are asked in one way before the next way asks the same ones. */
const BLOCK = 22;
/** Calls before each block that are not measured: ONNX Runtime is slower in the first runs after a change of shapes. */
const WARM_UP = 3;

const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

const byDetail = (facts) => rankTiles({ ...facts, focus: 0 }).order;
const byRelevance = (facts) => rankTiles({ ...facts, detail: facts.detail.map(() => 1) }).order;

/** The ways to ask: which tiles, how many tokens, and whether the image is halved first. */
function waysOf({ worth, most, coverage, least, max, ratio, random }) {
  const atRandom = ({ grid: [rows, columns] }) =>
    Array.from({ length: rows * columns }, (_, tile) => ({ tile, key: random() }))
      .toSorted((a, b) => a.key - b.key)
      .map(({ tile }) => tile);
  const every = { budget: { ratio: 1 } };
  const few = { budget: { ratio } };
  const needed = { budget: { coverage, min: least } };
  const useful = { tiles: { worth, max: most } };
  return {
    all: every,
    'tokens only': few,
    'tiles only': { ...every, ...useful },
    'tiles and tokens': { ...needed, ...useful },
    'fixed tiles and tokens': { ...few, tiles: { max } },
    resize: { ...every, halved: true },
    'resize and tokens': { ...few, halved: true },
    'random tiles and tokens': { ...few, tiles: { max, by: atRandom } },
    'tiles by relevance alone and tokens': { ...few, tiles: { max, by: byRelevance } },
    'tiles by detail alone and tokens': { ...few, tiles: { max, by: byDetail } },
  };
}

/** An image of half the side, by the mean of every 2 × 2 pixels. */
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

/** The questions of a folder, or the held-out ones, each with a function that reads its image. */
async function questionsOf(folder) {
  if (folder === undefined) {
    const questions = await heldOut({ size: 'tiled' });
    return questions.map((one) => ({ ...one, read: () => RawImage.read(one.image) }));
  }
  const [questions, scenes] = await Promise.all(
    ['questions', 'scenes'].map(async (name) => {
      const text = await readFile(join(folder, `${name}.jsonl`), 'utf8');
      return text.split('\n').filter(Boolean).map(JSON.parse);
    }),
  );
  const draw = (scene) => new RawImage(drawScene(scene), TILED_SCENE_SIZE, TILED_SCENE_SIZE, 3);
  return questions.map((one) => ({ ...one, read: async () => draw(scenes[one.scene]) }));
}

/**
 * Asks questions in every way.
 * @returns for each way, one entry per question: score, milliseconds of each phase and from pixels to the first token, encoded
 * tiles, and kept tokens.
 */
export async function compareTiles({ questions, names, focus, ratio, repeats, ...settings }) {
  const { library, model, processor } = await loadVlm(tiledModelPath, { dtype: 'fp16' });
  const backend = await createOrtBackend();
  const handle = prune(model, { processor, backend, budget: { ratio }, ...(focus > 0 && { focus }) });
  const ways = Object.entries(waysOf({ ...settings, ratio, random: createRandom(1) })).filter(
    ([name]) => names === undefined || names.includes(name),
  );
  const measured = Object.fromEntries(ways.map(([way]) => [way, []]));
  const order = createRandom(2);
  const { size } = processor.image_processor;
  /** Asks one question in one way. */
  const ask = async (image, question, { halved, ...override }) => {
    const started = performance.now();
    processor.image_processor.size = halved ? { longest_edge: TILED_SCENE_SIZE / 2 } : size;
    const shown = halved ? image.half() : image.whole;
    const inputs = await processInputs(library, processor, {
      prompt: buildPrompt(question),
      images: [shown],
    });
    const process = performance.now() - started;
    // A halved image keeps as many tokens as the others, of fewer.
    const budget = halved && ratio === override.budget.ratio ? { tokens: image.tenth } : override.budget;
    const sequences = await handle.generate({ ...inputs, mmtok: { question, ...override, budget } });
    const written = sequences.slice(null, [inputs.input_ids.dims.at(-1), null]);
    const [answer] = processor.batch_decode(written, { skip_special_tokens: true });
    const { keptTokens, timings, images } = handle.lastReport;
    const { encodeMs: encode, selectMs: select, prefillMs: prefill } = timings;
    return {
      answer: answer.trim(),
      kept: keptTokens,
      tiles: images[0].tiles.filter(({ skipped }) => skipped !== true).length,
      ms: { process, encode, select, prefill, total: process + encode + select + prefill },
    };
  };
  const tokensOf = async (image) => handle.countTokens(await processor('<image>', [image]))[0].vision;
  const imageOf = async ({ read }) => {
    const whole = await read();
    processor.image_processor.size = size;
    return { whole, half: () => halve(whole), tenth: Math.round(ratio * (await tokensOf(whole))) };
  };
  // Ways take turns, block by block and in random order, so that whatever else the machine does slows all of them alike.
  // Within a block every prompt has the same shape, as in an application.
  for (let start = 0; start < questions.length; start += BLOCK) {
    const block = questions.slice(start, start + BLOCK);
    const images = await Promise.all(block.map(imageOf));
    const drawn = ways.map((way) => ({ way, key: order() })).toSorted((a, b) => a.key - b.key);
    for (const {
      way: [name, way],
    } of drawn) {
      for (let i = 0; i < WARM_UP; i++) await ask(images[0], block[0].question, way);
      const asked = block.map(() => []);
      for (let round = 0; round < repeats; round++) {
        for (const [at, { question }] of block.entries())
          asked[at].push(await ask(images[at], question, way));
      }
      for (const [at, { answer: expected }] of block.entries()) {
        // Whatever else the machine does only ever adds time.
        const { answer, ms, ...rest } = asked[at].reduce((best, one) =>
          one.ms.total < best.ms.total ? one : best,
        );
        measured[name].push({ score: answer === expected ? 1 : 0, ms, ...rest });
      }
    }
  }
  await handle.restore();
  await model.dispose();
  await backend.dispose();
  return measured;
}

/** The options of the command line, and the runs to print: the saved ones, or a new one. */
async function runsOf() {
  const { values } = parseArgs({
    options: {
      limit: { type: 'string', default: '440' },
      from: { type: 'string', default: '0' },
      worth: { type: 'string', default: '0.2' },
      most: { type: 'string', default: '11' },
      coverage: { type: 'string', default: '0.73' },
      least: { type: 'string', default: '20' },
      max: { type: 'string', default: '7' },
      ratio: { type: 'string', default: '0.1' },
      focus: { type: 'string', default: '2' },
      repeats: { type: 'string', default: '1' },
      ways: { type: 'string' },
      questions: { type: 'string' },
      json: { type: 'string' },
      merge: { type: 'string' },
    },
  });
  if (values.merge !== undefined) {
    return await Promise.all(
      values.merge.split(',').map(async (file) => JSON.parse(await readFile(file, 'utf8'))),
    );
  }
  const [limit, from] = [Number(values.limit), Number(values.from)];
  const questions = (await questionsOf(values.questions)).slice(from, from + limit);
  const number = (name) => ({ [name]: Number(values[name]) });
  const measured = await compareTiles({
    questions,
    names: values.ways?.split(','),
    ...Object.assign(
      {},
      ...['worth', 'most', 'coverage', 'least', 'max', 'ratio', 'focus', 'repeats'].map(number),
    ),
  });
  const run = { values, kinds: questions.map(({ kind }) => kind), measured };
  if (values.json !== undefined) await writeFile(values.json, JSON.stringify(run));
  return [run];
}

/** Prints the tables of runs over different questions. */
function printTables(runs) {
  const [{ values }] = runs;
  const kindOf = runs.flatMap(({ kinds }) => kinds);
  const measured = Object.fromEntries(
    Object.keys(runs[0].measured).map((way) => [way, runs.flatMap((run) => run.measured[way])]),
  );
  const points = (share) => (100 * share).toFixed(1);
  const times = (factor) => `${factor.toFixed(2)} ×`;
  const between = ({ value, low, high }, format) => `${format(value)} (${format(low)} to ${format(high)})`;
  const { all, 'tiles and tokens': chosen } = measured;
  const scores = (own) => own.map(({ score }) => score);
  const totals = (own) => own.map(({ ms }) => ms.total);
  const phase = (own, name) => mean(own.map(({ ms }) => ms[name]));
  const scoreOf = (own, kinds = tiledQuestionKinds) =>
    points(mean(scores(own.filter((_, at) => kinds.includes(kindOf[at])))));
  const print = (cells) => console.log(`| ${cells.join(' | ')} |`);
  console.log(
    `${kindOf.length} questions; tiles with ${values.worth} of the best one's worth, at most ${values.most}, and tokens for a coverage ` +
      `of ${values.coverage} but at least ${values.least}, or ${values.max} of 17 tiles and ${values.ratio} of the tokens; focus ${values.focus}\n`,
  );
  print([
    'way',
    'tiles',
    'tokens',
    'score',
    'of all',
    'tiles and tokens ahead by',
    'encoder',
    'earlier',
    'ms: process, encode, select, prefill',
  ]);
  print(['---', ...Array(8).fill('---:')]);
  for (const [way, own] of Object.entries(measured)) {
    print([
      way,
      mean(own.map(({ tiles }) => tiles)).toFixed(1),
      mean(own.map(({ kept }) => kept)).toFixed(1),
      scoreOf(own),
      own === all ? '100' : between(retention(scores(all), scores(own)), points),
      own === chosen || chosen === undefined
        ? ''
        : between(meanDifference(scores(own), scores(chosen)), points),
      `${points(phase(own, 'encode') / phase(all, 'encode'))} %`,
      own === all ? '' : between(retention(totals(own), totals(all)), times),
      `${mean(totals(own)).toFixed(1)}: ${['process', 'encode', 'select', 'prefill'].map((name) => phase(own, name).toFixed(1)).join(', ')}`,
    ]);
  }
  console.log('\nScore by kind of question, and tiles of "tiles and tokens"\n');
  const kinds = tiledQuestionKinds.filter((kind) => kindOf.includes(kind));
  print(['way', ...kinds]);
  print(['---', ...kinds.map(() => '---:')]);
  for (const [way, own] of Object.entries(measured))
    print([way, ...kinds.map((kind) => scoreOf(own, [kind]))]);
  const tilesOf = (kind) => chosen.filter((_, at) => kindOf[at] === kind).map(({ tiles }) => tiles);
  if (chosen !== undefined) print(['tiles', ...kinds.map((kind) => mean(tilesOf(kind)).toFixed(1))]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) printTables(await runsOf());
