// Time budgets: the plan is applied to the call and reported, and a profile is measured once.

import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { platform as inBrowser } from '../src/files/browser.js';
import { platform } from '../src/files/node.js';
import {
  createVlm,
  InvalidOptionsError,
  MmtokError,
  type PlanReport,
  type PruneReport,
  profileVlm,
  type Vlm,
} from '../src/index.js';
import { totalMs } from '../src/plan/costs.js';
import { buildTinyModel, type FamilyName, noiseImage, type TinyModel } from './tiny-models/index.js';

let directory: string;
const before = process.env.XDG_CACHE_HOME;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'planned-'));
  process.env.XDG_CACHE_HOME = join(directory, 'cache');
});
afterAll(async () => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  await rm(directory, { recursive: true, force: true });
});

const question = 'is the cat red ?';
/** Budgets in milliseconds that no machine and that every machine meets. */
const [NEVER, ALWAYS] = [1e-6, 1e9];

describe.each<FamilyName>(['llava', 'qwen2_5_vl', 'smolvlm', 'florence2'])('%s', (name) => {
  let tiny: TinyModel;
  let vlm: Vlm;
  const reports: PruneReport[] = [];
  beforeAll(async () => {
    tiny = await buildTinyModel(name, { directory });
    vlm = await createVlm(tiny.path, {
      minVisionTokens: 1,
      budget: { firstTokenMs: ALWAYS },
      onReport: (report) => reports.push(report),
    });
  });
  afterAll(() => vlm.dispose());

  it('encodes and keeps everything if time allows', async () => {
    const { report } = await vlm.ask({ image: noiseImage(tiny.imageSize), question, maxNewTokens: 2 });
    expect(report).toMatchObject({ visionTokens: tiny.tokensPerImage, keptTokens: tiny.tokensPerImage });
    expect(report.plan).toMatchObject({
      firstTokenMs: ALWAYS,
      isFeasible: true,
      visionTokens: tiny.tokensPerImage,
      encodedTokens: tiny.tokensPerImage,
      keptTokens: tiny.tokensPerImage,
    });
    expect(report.plan?.tookMs).toBeGreaterThan(0);
    expect(report.plan?.predictedMs).toBeGreaterThan(0);
    expect(reports.at(-1)?.plan).toEqual(report.plan);
    const { phases, predictedMs, tookMs } = report.plan as PlanReport;
    expect(totalMs(phases.predicted)).toBeCloseTo(predictedMs);
    expect(totalMs(phases.took)).toBeCloseTo(tookMs);
    const { encodeMs, selectMs, prefillMs } = report.timings;
    expect(phases.took).toMatchObject({ encodeMs, selectMs, prefillMs });
  });

  it('uses the cheapest plan if none is feasible, and says so', async () => {
    // With known costs, so that the plan does not depend on how busy the machine is: each encoded and each kept token takes 1 ms.
    const { key, measured } = await profileVlm(vlm);
    const costs = { processMs: [0, 0], encodeMs: [0, 1, 0], selectMs: [0, 0, 0, 0], prefillMs: [0, 1, 0] };
    const file = join(directory, 'cache', 'mmtok', 'profiles', `${key}.json`);
    await writeFile(file, JSON.stringify({ key, measured, costs }));
    const known = await createVlm(tiny.path, { minVisionTokens: 1, keep: { firstTokenMs: NEVER } });
    const { report } = await known.ask({ image: noiseImage(tiny.imageSize), question, maxNewTokens: 2 });
    await known.dispose();
    expect(report.plan).toMatchObject({
      firstTokenMs: NEVER,
      isFeasible: false,
      keptTokens: report.keptTokens,
    });
    expect(report.keptTokens).toBe(1);
    expect(report.notes).toHaveLength(1);
    if (name === 'qwen2_5_vl') expect(report.visionTokens).toBeLessThan(tiny.tokensPerImage);
    if (name !== 'smolvlm') return;
    expect(report.plan?.tiles).toBe(1);
    expect(report.images[0]?.tiles.map(({ skipped = false }) => skipped)).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
  });

  it.runIf(name === 'smolvlm')('chooses the tiles itself, whatever the options say', async () => {
    const budget = { firstTokenMs: ALWAYS };
    const limited = await createVlm(tiny.path, { minVisionTokens: 1, budget, tiles: { max: 1 } });
    const { report } = await limited.ask({ image: noiseImage(tiny.imageSize), question, maxNewTokens: 2 });
    await limited.dispose();
    expect(report.keptTokens).toBe(tiny.tokensPerImage);
    expect(report.plan).toMatchObject({ encodedTokens: tiny.tokensPerImage, tiles: 5 });
  });

  it('is replaced by a budget of the call, which has no plan', async () => {
    const image = noiseImage(tiny.imageSize);
    const { report } = await vlm.ask({ image, question, maxNewTokens: 2, mmtok: { budget: { tokens: 2 } } });
    expect(report.keptTokens).toBe(2);
    expect(report.plan).toBeUndefined();
  });

  it('is measured once, and again on request', async () => {
    const [known, again] = [await profileVlm(vlm), await profileVlm(vlm)];
    expect(again).toEqual(known);
    expect(known.costs.prefillMs).toHaveLength(3);
    const folder = join(directory, 'cache', 'mmtok', 'profiles');
    expect(await readdir(folder)).toContain(`${known.key}.json`);
    // A stored profile that is damaged or has the wrong number of coefficients is measured again.
    const short = { ...known, costs: { ...known.costs, encodeMs: [1] } };
    let fresh = known;
    for (const damaged of ['{"key":', JSON.stringify(short), JSON.stringify({ ...known, costs: null })]) {
      await writeFile(join(folder, `${known.key}.json`), damaged);
      const again = await profileVlm(vlm);
      expect(again.measured).not.toBe(fresh.measured);
      fresh = again;
    }
    expect(await profileVlm(vlm)).toEqual(fresh);
    expect((await profileVlm(vlm, { fresh: true })).measured).not.toBe(fresh.measured);
  });
});

it.each([[{ firstTokenMs: 0 }], [{ firstTokenMs: 'soon' }], [{ firstTokenMs: 5, min: 3 }]])(
  'refuses %j',
  async (budget) => {
    await expect(createVlm('anything', { budget: budget as never })).rejects.toThrow(/firstTokenMs/);
    await expect(createVlm('anything', { keep: budget as never })).rejects.toThrow(/firstTokenMs/);
  },
);

it('rejects models and time budgets that cannot be read', async () => {
  const { proxy, revoke } = Proxy.revocable({ firstTokenMs: 5 }, {});
  revoke();
  for (const wrong of [undefined, null, {}, { model: {} }, 'smolvlm', proxy])
    await expect(profileVlm(wrong as never)).rejects.toBeInstanceOf(InvalidOptionsError);
  await expect(createVlm('anything', { budget: proxy })).rejects.toBeInstanceOf(MmtokError);
  await expect(createVlm('anything', { keep: proxy })).rejects.toBeInstanceOf(MmtokError);
});

describe('in a browser', () => {
  it('stores nothing if there is no storage, and does not fail', async () => {
    await inBrowser.profiles.write('key', {});
    expect(await inBrowser.profiles.read('key')).toBeUndefined();
    expect(inBrowser.profiles.machine()).toContain('×');
  });
});

it('a profile that cannot be stored leaves no partial file', async () => {
  const folder = join(directory, 'cache', 'mmtok', 'profiles');
  // A folder where the file should be.
  await mkdir(join(folder, 'taken.json'), { recursive: true });
  await platform.profiles.write('taken', {});
  expect((await readdir(folder)).filter((name) => name.startsWith('taken'))).toEqual(['taken.json']);
});
