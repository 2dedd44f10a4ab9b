// Times a whole selection on each engine, compared with the bare matrix product of the same size on the same engine. Run `pnpm bench` in
// this folder; compare ratios within one run, not times across machines.

import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { selectTokens } from '@mmtok/core';
import { defineProgram } from '@mmtok/core/backend';
import { syntheticFeatures, syntheticText } from '@mmtok/core/testing/features';
import { createTfjsBackend } from '@mmtok/tfjs-backend';

const ENGINES = {
  native: { tfBackend: 'tensorflow' },
  wasm: { tfBackend: 'wasm' },
  plain: { tfBackend: 'cpu' },
};
const SIZES = [
  { height: 24, width: 24, k: 64, runs: { native: 15, wasm: 9, plain: 3 } },
  { height: 48, width: 60, k: 160, runs: { native: 7, wasm: 5, plain: 0 } },
];
const VISUAL = 1024;
const LANGUAGE = 4096;
const TEXT_TOKENS = 12;

const product = defineProgram({
  name: 'bare-product',
  inputs: { x: { dims: ['n', 'd'] } },
  outputs: { out: { dims: ['n', 'n'] } },
  build: (ops, { x }) => ({ out: ops.matMul(x, x, { transposeB: true }) }),
});

async function medianMs(runs, work) {
  await work();
  const times = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}

/** One engine, in a separate process, because TensorFlow.js is one engine per process. */
async function measure(engine) {
  const backend = await createTfjsBackend(ENGINES[engine]);
  const rows = [];
  for (const { height, width, k, runs } of SIZES) {
    if (runs[engine] === 0) continue;
    const map = { height, width, clusters: 8, noise: 0.5, common: 0.8 };
    const vision = syntheticFeatures({ ...map, dim: LANGUAGE, seed: 1 });
    const visionFeatures = syntheticFeatures({ ...map, dim: VISUAL, seed: 2 });
    const text = syntheticText(vision, TEXT_TOKENS, 3);
    const options = { backend, vision, visionFeatures, text, budget: { tokens: k } };
    const productMs = await medianMs(runs[engine], () => backend.run(product, { x: visionFeatures }));
    const selectionMs = await medianMs(runs[engine], () => selectTokens(options));
    rows.push({ engine, device: backend.device, n: height * width, k, productMs, selectionMs });
  }
  return rows;
}

const asked = process.argv[2];
if (asked !== undefined) {
  console.log(JSON.stringify(await measure(asked)));
} else {
  const rows = Object.keys(ENGINES).flatMap((engine) => {
    try {
      const output = execFileSync(process.execPath, [fileURLToPath(import.meta.url), engine], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return JSON.parse(output.trim().split('\n').at(-1));
    } catch (error) {
      console.error(`${engine}: not measured. ${/unavailable: .*/.exec(String(error.stderr))?.[0] ?? error}`);
      return [];
    }
  });
  const fastest = new Map();
  for (const { n, selectionMs } of rows) fastest.set(n, Math.min(fastest.get(n) ?? Infinity, selectionMs));
  console.table(
    rows.map(({ engine, device, n, k, productMs, selectionMs }) => ({
      engine,
      device,
      n,
      k,
      'bare product (ms)': Math.round(productMs),
      'selection (ms)': Math.round(selectionMs),
      'selection / product': (selectionMs / productMs).toFixed(2),
      'times the fastest': (selectionMs / fastest.get(n)).toFixed(1),
    })),
  );
}
