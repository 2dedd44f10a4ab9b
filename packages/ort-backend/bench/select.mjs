// Selection time, from features to indices, compared with ONNX Runtime's bare matrix products on the same shapes. All variants are
// interleaved in one run, so that ratios hold on a noisy machine. Options:
//   --official <checkout>   also time the official selector (needs python3 with torch and numpy)
//   --threads <n>           threads for ONNX Runtime and PyTorch (default 2)
//   --rounds <n>            rounds of measurements (default 7)
//   --device <provider>     execution provider of ONNX Runtime (default cpu)
//   --json <file>           write the results as JSON
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { prepareImage, selectTokens } from '@mmtok/core';
import { syntheticFeatures, syntheticText } from '@mmtok/core/testing/features';
import { encodeModel } from '@mmtok/onnx';
import { createOrtBackend } from '@mmtok/ort-backend';
import { measure } from 'mitata';

const { values: options } = parseArgs({
  options: {
    official: { type: 'string' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '7' },
    device: { type: 'string', default: 'cpu' },
    json: { type: 'string' },
  },
});
const threads = Number(options.threads);
const TEXT_TOKENS = 12;
const llava = { visual: 1024, language: 4096 };
const shapes = [
  { height: 24, width: 24, budget: 64, ...llava },
  { height: 48, width: 60, budget: 160, ...llava },
  { height: 48, width: 60, budget: 640, ...llava },
  // SmolVLM-256M: projected tokens, which `visionFeatures: 'auto'` compares, and the features before the projector.
  { height: 32, width: 34, budget: 108, visual: 576, language: 576 },
  { height: 32, width: 34, budget: 108, visual: 12288, language: 576 },
  // LLaVA-OneVision-0.5B: a matrix that is computed in blocks.
  { height: 45, width: 81, budget: 364, visual: 1152, language: 896 },
];

process.env.ORT_DISABLE_TELEMETRY ??= '1';
const ort = createRequire(import.meta.url)('onnxruntime-node');
const sessionOptions = { intraOpNumThreads: threads };
// The products are interleaved with the backend's sessions, so their threads must not spin: see thread-options.ts.
const noSpinning = { extra: { session: { intra_op: { allow_spinning: '0' } } } };
const backend = await createOrtBackend({ ort, device: options.device, sessionOptions });

/** x·xᵀ and v·tᵀ only: the least that exact selection must compute. */
const products = await ort.InferenceSession.create(
  encodeModel({
    graph: {
      inputs: [
        { name: 'x', dtype: 'float32', dims: ['n', 'd'] },
        { name: 'v', dtype: 'float32', dims: ['n', 'D'] },
        { name: 't', dtype: 'float32', dims: ['m', 'D'] },
      ],
      outputs: [{ name: 'xx' }, { name: 'vt' }],
      nodes: [
        { opType: 'Gemm', inputs: ['x', 'x'], outputs: ['xx'], attributes: { transB: { int: 1 } } },
        { opType: 'Gemm', inputs: ['v', 't'], outputs: ['vt'], attributes: { transB: { int: 1 } } },
      ],
    },
  }),
  { ...sessionOptions, ...noSpinning, executionProviders: [options.device], logSeverityLevel: 3 },
);

const median = (samples) => samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)];
/** How long each call is repeated in its turn, at least three times: short calls need tens of repetitions to warm up. */
const TURN_MS = 200;
/** Times of calls in one turn, in ms. */
const time = async (call) => {
  const { samples } = await measure(call, {
    min_samples: 3,
    max_samples: 40,
    min_cpu_time: TURN_MS * 1e6,
    warmup_samples: 1,
  });
  return samples.map((nanoseconds) => nanoseconds / 1e6);
};

/** A process of the official selector on given tensors; `call()` runs it once. */
async function startOfficial(tensors, n, budget, { visual, language }) {
  const folder = await mkdtemp(join(tmpdir(), 'mmtok-bench-'));
  for (const [name, { data }] of Object.entries(tensors)) {
    await writeFile(join(folder, `${name}.f32`), Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }
  const sizes = [n, TEXT_TOKENS, visual, language, budget, threads].map(String);
  const script = new URL('./official.py', import.meta.url).pathname;
  const python = spawn('python3', [script, resolve(options.official), folder, ...sizes], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  return {
    async call() {
      python.stdin.write('\n');
      const { value, done } = await lines.next();
      if (done)
        throw new Error(`The official selector stopped; does ${options.official} hold a checkout of it?`);
      return JSON.parse(value);
    },
    async stop() {
      python.stdin.end();
      await once(python, 'exit');
      await rm(folder, { recursive: true });
    },
  };
}

/** Times of the official selector in one turn, in ms. */
async function officialTurn(official) {
  const times = [];
  const ended = performance.now() + TURN_MS;
  while (times.length < 2 || performance.now() < ended) times.push((await official.call()).ms);
  return times;
}

const rows = [];
for (const { height, width, budget, visual, language } of shapes) {
  const n = height * width;
  const map = { height, width, clusters: 8, noise: 0.5, common: 0.8 };
  const vision = syntheticFeatures({ ...map, dim: language, seed: 1 });
  const visionFeatures = syntheticFeatures({ ...map, dim: visual, seed: 2 });
  const [text, otherText] = [3, 4].map((seed) => syntheticText(vision, TEXT_TOKENS, seed));
  const feeds = Object.fromEntries(
    Object.entries({ x: visionFeatures, v: vision, t: text }).map(([name, { data, dims }]) => [
      name,
      new ort.Tensor('float32', data, dims),
    ]),
  );
  const question = { backend, vision, visionFeatures, text, budget: { tokens: budget } };
  const image = prepareImage({ backend, vision, visionFeatures });
  await image.select({ text, budget: { tokens: budget } });
  const official = options.official
    ? await startOfficial({ vision, visionFeatures, text }, n, budget, { visual, language })
    : undefined;
  const { indices } = await selectTokens(question);
  const sameAsOfficial = official && (await official.call()).indices.join() === indices.join();

  const samples = {
    products: [],
    select: [],
    secondQuestion: [],
    similarity: [],
    maximize: [],
    official: [],
  };
  for (let round = 0; round < Number(options.rounds); round++) {
    samples.products.push(...(await time(() => products.run(feeds))));
    samples.select.push(
      ...(await time(async () => {
        const { timings } = await selectTokens(question);
        samples.similarity.push(timings.similarityMs);
        samples.maximize.push(timings.maximizeMs);
      })),
    );
    samples.secondQuestion.push(
      ...(await time(() => image.select({ text: round % 2 ? text : otherText, budget: { tokens: budget } }))),
    );
    if (official) samples.official.push(...(await officialTurn(official)));
  }
  image.dispose();
  await official?.stop();
  const ms = Object.fromEntries(
    Object.entries(samples)
      .filter(([, each]) => each.length > 0)
      .map(([name, each]) => [name, Number(median(each).toFixed(2))]),
  );
  rows.push({ n, k: budget, d: visual, D: language, ms, sameAsOfficial });
  const ratio = (a, b) => (a / b).toFixed(2);
  console.log(`n = ${n}, k = ${budget} (d = ${visual}, D = ${language}, ${TEXT_TOKENS} text tokens)`);
  console.log(`  bare matrix products      ${ms.products} ms`);
  console.log(
    `  select                    ${ms.select} ms   ${ratio(ms.select, ms.products)} × the products`,
  );
  console.log(`    similarity, calibration ${ms.similarity} ms`);
  console.log(`    greedy                  ${ms.maximize} ms`);
  console.log(
    `  second question           ${ms.secondQuestion} ms   ${ratio(ms.secondQuestion, ms.select)} of the first`,
  );
  if (ms.official) {
    console.log(`  official (PyTorch)        ${ms.official} ms   ${ratio(ms.official, ms.select)} × ours`);
    console.log(`  same indices              ${sameAsOfficial ? 'yes' : 'NO'}`);
  }
}
await backend.dispose();
await products.release();

if (options.json) {
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${process.platform} ${process.arch}, Node ${process.version}`;
  const result = {
    date: new Date().toISOString().slice(0, 10),
    machine,
    device: backend.device,
    threads,
    rows,
  };
  await writeFile(options.json, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`Written to ${options.json}`);
}
