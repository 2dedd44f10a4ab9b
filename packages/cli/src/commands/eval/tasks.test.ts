// Folders as tasks: how they are named, how they differ from benchmarks, and running in such a folder.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../../vitest.temporary.js';
import { fakeIo } from '../../../test/fake-io.js';
import { fakeServices } from '../../../test/fake-services.js';
import { main } from '../../main.js';

const METHOD = ['--methods', 'random', '--keep', '4'];

async function run(cwd: string, ...argv: readonly string[]) {
  const io = fakeIo({ cwd });
  const exitCode = await main(['eval', ...argv], io, fakeServices().services);
  return { exitCode, out: io.out(), err: io.err() };
}

/** Makes a folder of questions. The fake model says "yes". */
async function ownTask(folder: string, answer = 'yes'): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'a.png'), 'an image');
  const lines = [1, 2].map((at) => ({ image: 'a.png', question: `Is it ${at}?`, answer }));
  await writeFile(join(folder, 'questions.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

describe('a folder as a task', () => {
  it('is not a benchmark of the same name', async () => {
    const cwd = temporary();
    await ownTask(join(cwd, 'pope'));
    const { exitCode, err } = await run(cwd, './pope', ...METHOD, '--out', 'results');
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect((await run(cwd, 'report', 'results')).exitCode).toBe(0);
    expect(await readFile(join(cwd, 'results', 'report.md'), 'utf8')).not.toContain('f1');
    expect((await run(cwd, 'pope', ...METHOD)).err).toContain("'tiny' only knows drawn shapes");
  });

  it('may be the current folder and contain its own run', async () => {
    const cwd = temporary();
    await ownTask(cwd);
    for (const out of ['mmtok-eval', 'mmtok-eval', 'deeper/results', '.', '.']) {
      const { exitCode, err } = await run(cwd, '.', ...METHOD, '--out', out);
      expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    }
  });

  it('must be written as a path', async () => {
    const cwd = temporary();
    await ownTask(join(cwd, 'my-task'));
    expect(await run(cwd, 'my-task', ...METHOD)).toMatchObject({
      exitCode: 2,
      err: "error: There is no task 'my-task'. For the folder of that name, write ./my-task.\n",
    });
  });

  it('is not mistaken for another folder of the same name, or for its earlier contents', async () => {
    const cwd = temporary();
    await ownTask(join(cwd, 'my-task'), 'no');
    await ownTask(join(cwd, 'v2', 'my-task'), 'yes');
    const flags = [...METHOD, '--out', 'results'];
    expect((await run(cwd, './my-task', ...flags)).exitCode).toBe(0);
    expect((await run(cwd, './v2/my-task', ...flags)).err).toContain('other questions');
    await ownTask(join(cwd, 'my-task'), 'yes');
    expect((await run(cwd, './my-task', ...flags)).err).toContain('other questions');
  });
});

describe('shards with answers of different methods', () => {
  it('merge into a table that says how many questions each method answered', async () => {
    const cwd = temporary();
    const shapes = ['shapes', '--limit', '6', '--keep', '4'];
    await run(cwd, ...shapes, '--shard', '0/2', '--methods', 'random', '--out', 'part-0');
    await run(cwd, ...shapes, '--shard', '1/2', '--methods', 'random,mmtok', '--out', 'part-1');
    const { exitCode, out } = await run(cwd, 'merge', 'part-0', 'part-1', '--out', 'whole');
    expect(exitCode).toBe(0);
    expect(out).toContain('Shapes: 6 questions');
    expect(out).toMatch(/^random +4 /m);
    expect(out).toMatch(/^mmtok \(3 of 6 questions\) +4 /m);
  });
});
