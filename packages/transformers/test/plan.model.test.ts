// Prediction errors of time budgets on the embedded models, over 50 calls with random budgets each. Prints the errors without asserting
// any, because they depend on the load of the machine. The goal is a median of 20 %. Run it on an idle machine with
// `pnpm test:model packages/transformers/test/plan.model.test.ts`, or on a busy machine with `CLOCK=cpu`, which runs the model on
// one thread and measures the CPU time of the process. `SPIN=1` lets the threads of idle sessions spin, as ONNX Runtime
// does by default, to show what that costs.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRandom } from '@mmtok/core/internal';
import { heldOut, modelPath, smallModelPath, tiledModelPath } from '@mmtok/tiny-vlm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createVlm, type PlanReport, type Vlm } from '../src/index.js';

const CALLS = 50;
/** Time limit for measuring and all calls, in ms. */
const PATIENCE = 1_800_000;

const isCpuTime = process.env.CLOCK === 'cpu';
const sessionOptions = {
  ...(isCpuTime && { intraOpNumThreads: 1, interOpNumThreads: 1 }),
  ...(process.env.SPIN === '1' && { extra: {} }),
};
if (isCpuTime) {
  performance.now = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
}

describe.each([
  ['base', modelPath],
  ['small', smallModelPath],
  ['tiled', tiledModelPath],
] as const)('%s', (size, path) => {
  let directory: string;
  let vlm: Vlm;
  const before = process.env.XDG_CACHE_HOME;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'profiles-'));
    process.env.XDG_CACHE_HOME = directory;
    vlm = await createVlm(path, { sessionOptions });
  });
  afterAll(async () => {
    if (before === undefined) delete process.env.XDG_CACHE_HOME;
    else process.env.XDG_CACHE_HOME = before;
    await vlm.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  test(
    `tells how far predictions of ${CALLS} calls with random budgets are off`,
    async () => {
      const random = createRandom(1);
      const questions = await heldOut({ size });
      const plans: PlanReport[] = [];
      const ask = async (at: number, firstTokenMs: number): Promise<PlanReport> => {
        const { image, question } = questions[at % questions.length] as (typeof questions)[number];
        const { report } = await vlm.ask({ image, question, maxNewTokens: 1, keep: { firstTokenMs } });
        return report.plan as PlanReport;
      };
      // Between the cheapest and the most expensive plan.
      const [least, most] = [(await ask(0, 1e-6)).predictedMs, (await ask(0, 1e9)).predictedMs];
      for (let call = 0; call < CALLS; call++) plans.push(await ask(call, least + (most - least) * random()));
      const errors = plans
        .map(({ predictedMs, tookMs }) => Math.abs(predictedMs - tookMs) / tookMs)
        .sort((a, b) => a - b);
      const at = (share: number): string =>
        `${(100 * (errors[Math.floor(share * (errors.length - 1))] as number)).toFixed(1)} %`;
      // How much each phase contributes to the error: its own error as a share of the whole call.
      const parts = (['encodeMs', 'selectMs', 'prefillMs'] as const).map((phase) => {
        const own = plans
          .map(({ phases: { predicted, took }, tookMs }) => Math.abs(predicted[phase] - took[phase]) / tookMs)
          .sort((a, b) => a - b);
        return `${phase.slice(0, -2)} ${(100 * (own[CALLS / 2] as number)).toFixed(1)} %`;
      });
      const took = plans.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
      const kept = plans.filter(({ tookMs, firstTokenMs }) => tookMs <= firstTokenMs).length;
      process.stdout.write(
        `${size}: budgets from ${least.toFixed(0)} to ${most.toFixed(0)} ms; error of the prediction: median ${at(0.5)}, ` +
          `90th percentile ${at(0.9)}; of the call, ${parts.join(', ')}; in time ${kept} of ${CALLS}; median time ${took[CALLS / 2]?.toFixed(1)} ms\n`,
      );
      expect(errors.every((error) => Number.isFinite(error))).toBe(true);
    },
    PATIENCE,
  );
});
