import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modelDims, type SpeedResult } from '@mmtok/eval';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../../vitest.temporary.js';
import { fakeIo } from '../../../test/fake-io.js';
import { fakeServices } from '../../../test/fake-services.js';
import { main } from '../../main.js';

const DIMS = {
  title: 'Small',
  hidden: 32,
  layers: 2,
  heads: 2,
  keyValueHeads: 1,
  headDim: 16,
  intermediate: 48,
  vocabulary: 40,
  attentionBias: false,
  visionTokens: 30,
  visionWidth: 16,
  keep: ['10', '10%'],
};

const TILED = {
  ...DIMS,
  visionTokens: 20,
  visionWidth: 32,
  encoder: {
    title: 'Tower',
    hidden: 8,
    layers: 1,
    heads: 1,
    intermediate: 16,
    gated: false,
    patchValues: 12,
    grid: [4, 4],
    tiles: 5,
    classToken: false,
    merge: 2,
    projector: [],
  },
};

async function run(...argv: readonly string[]) {
  const cwd = temporary();
  await writeFile(join(cwd, 'small.json'), JSON.stringify(DIMS));
  await writeFile(join(cwd, 'tiled.json'), JSON.stringify(TILED));
  await writeFile(join(cwd, 'wrong.json'), JSON.stringify({ ...DIMS, layers: 'two', depth: 2 }));
  await writeFile(join(cwd, 'broken.json'), '{');
  const io = fakeIo({ cwd });
  const exitCode = await main(['eval', 'speed', ...argv], io, fakeServices().services);
  return { exitCode, out: io.out(), err: io.err() };
}

describe('mmtok eval speed', () => {
  it('prints help with examples and all names', async () => {
    const { exitCode, out } = await run('--help');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/Examples:\n {2}mmtok eval speed/);
    for (const name of Object.keys(modelDims)) expect(out).toContain(name);
  });

  it('prints a table with notes', async () => {
    const { exitCode, out, err } = await run('--dims', './small.json', '--layers', '1', '--rounds', '1');
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toContain('Small: scaled from 1 of 2 layers');
    expect(out).toMatch(/^all +– +30 +94 +– /m);
    expect(out).toMatch(/^10 +– +10 +74 +– /m);
    expect(out).toMatch(/^10% +– +3 +67 +– /m);
    expect(out).toContain('Note: 1 of 2 layers were built and run');
  });

  it('starts with the encoder, also for some of its tiles', async () => {
    const flags = ['--keep', '10%', '--tiles', '2', '--rounds', '1', '--decode', '1'];
    const { exitCode, out } = await run('--dims', './tiled.json', ...flags);
    expect(exitCode).toBe(0);
    expect(out).toMatch(/^all +5 +20 +84 +[\d.\s]+ ms /m);
    expect(out).toMatch(/^all +2 +8 +72 +[\d.\s]+ ms /m);
    expect(out.match(/^10% +[52] +2 +66 +[\d.\s]+ ms /gm)).toHaveLength(2);
    expect(out).toMatch(/Note: with all tokens, the encoder takes \d+ %/);
  });

  it('takes a share of the tiles, but not the worth of tiles', async () => {
    const flags = ['--dims', './tiled.json', '--keep', '10%', '--rounds', '1', '--decode', '1', '--tiles'];
    expect((await run(...flags, '40%')).out).toMatch(/^all +2 +8 +72 /m);
    expect(await run(...flags, 'worth')).toMatchObject({ exitCode: 2, out: '' });
  });

  it('counts the costs of all models, and of one', async () => {
    const all = await run('--costs');
    expect(all.exitCode).toBe(0);
    expect(all.out).toMatch(
      /^SmolVLM-256M +17 × SigLIP-B\/16-512 +1088 +[\d.]+ +[\d.]+ +9\d\.\d % +1\.0\d ×$/m,
    );
    expect(all.out.match(/ ×$/gm)).toHaveLength(Object.keys(modelDims).length);
    const one = await run('--costs', '--dims', 'qwen2.5-vl-3b', '--image-size', '896x672', '--json');
    expect(JSON.parse(one.out)).toMatchObject([{ title: 'Qwen2.5-VL-3B', visionTokens: 768 }]);
    const old = await run('--costs', '--dims', 'qwen2.5-vl-3b', '--picture', '896x672', '--json');
    expect(old).toEqual({ ...one, err: expect.stringContaining('--picture is now --image-size') });
    const own = await run('--costs', '--dims', './small.json');
    expect(own.out).toMatch(/^Small +– +30 +0\.0 /m);
  });

  it('prints JSON', async () => {
    const flags = ['--keep', '5', '--text', '4', '--rounds', '1', '--decode', '2', '--dtype', 'q4', '--json'];
    const { exitCode, out } = await run('--dims', 'small.json', ...flags);
    expect(exitCode).toBe(0);
    const result = JSON.parse(out) as SpeedResult;
    expect(result).toMatchObject({ dims: DIMS, dtype: 'q4', rounds: 1, decodeTokens: 2, isScaled: false });
    expect(result.rows.map(({ promptTokens }) => promptTokens)).toEqual([34, 9]);
  });

  it.each([
    [['--dims', 'smolvlm-256m', '--image-size', '512'], '--image-size: expected a width and a height'],
    [['--dims', 'llava-1.5-7b', '--image-size', '512x512'], 'CLIP-L/14-336 takes images of one size'],
    [['--dims', 'small.json', '--tiles', '2'], 'expected fewer than the 1 of Small'],
    [[], "required option '--dims <name>' not specified"],
    [['--dims', 'gpt'], "unknown dimensions 'gpt'; known: llava-1.5-7b"],
    [['--dims', './nowhere.json'], "'./nowhere.json'"],
    [['--dims', 'broken.json'], 'it is not valid JSON'],
    [['--dims', 'wrong.json'], 'layers: '],
    [['--dims', 'small.json', '--keep', '30'], "'30' keeps all 30 vision tokens of Small"],
    [['--dims', 'small.json', '--layers', '3'], 'expected at most the 2 layers of Small, got 3'],
    [['--dims', 'small.json', '--dtype', 'int3'], "argument 'int3' is invalid"],
  ])('%j ends with 2 and one line', async (argv, problem) => {
    const { exitCode, out, err } = await run(...argv);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toContain(problem);
  });
});
