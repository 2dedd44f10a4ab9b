// The built program as a process. Skipped unless it was built from the current sources.

import { execFile, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../vitest.temporary.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'dist/bin.js');
const buildInfo = join(root, 'dist/tsconfig.lib.tsbuildinfo');

function isBuilt(): boolean {
  if (!existsSync(bin) || !existsSync(buildInfo)) return false;
  const builtAt = statSync(buildInfo).mtimeMs;
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' });
  return sources
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .every((path) => statSync(join(root, 'src', path)).mtimeMs <= builtAt);
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function run(argv: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { ...process.env, ...env }, cwd };
    execFile(process.execPath, [bin, ...argv], options, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err });
    });
  });
}

describe.skipIf(!isBuilt())('the program', () => {
  it('loads no engine to print help', async () => {
    const listLibraries =
      'process.on("exit", () => process.stderr.write(process.report.getReport().sharedObjects.join(" ")))';
    const preload = `--import=data:text/javascript,${encodeURIComponent(listLibraries)}`;
    const { code, out, err: libraries } = await run(['--help'], { NODE_OPTIONS: preload });
    expect(code).toBe(0);
    expect(out).toContain('Usage: mmtok');
    expect(libraries).not.toBe('');
    expect(libraries).not.toMatch(/onnxruntime|tensorflow|sharp/);
  });

  it('exits with 2 and one line for bad input', async () => {
    expect(await run(['ask', 'nothing.png', 'What is it?'])).toEqual({
      code: 2,
      out: '',
      err: "error: Cannot use 'nothing.png': there is no such file or folder.\n",
    });
  });

  it('probes each engine in its own process', async () => {
    const { code, out, err } = await run(['doctor', '--json']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(JSON.parse(out).engines[0]).toMatchObject({ label: 'cpu', result: { works: true } });
  });

  it.skipIf(!existsSync('/dev/full'))('says in one line that its output cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [bin, '--help'], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let err = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(1);
    expect(err).toBe('error: The output cannot be written (the disk is full).\n');
  });

  it('stops an evaluation gracefully and resumes it', async () => {
    const cwd = temporary();
    const flags = ['--methods', 'random', '--keep', '16,8', '--limit', '40', '--out', 'run'];
    const argv = ['eval', 'shapes', '--model', 'tiny-small', ...flags];
    // The process interrupts itself after some answers: from outside, on a busy machine, the signal might come after the last.
    const interrupt = `
      import { existsSync, readFileSync } from 'node:fs';
      const records = ${JSON.stringify(join(cwd, 'run', 'records.jsonl'))};
      const timer = setInterval(() => {
        if (!existsSync(records) || readFileSync(records, 'utf8').split('\\n').length <= 3) return;
        clearInterval(timer);
        process.kill(process.pid, 'SIGINT');
      }, 1).unref();`;
    const child = spawn(
      process.execPath,
      [`--import=data:text/javascript,${encodeURIComponent(interrupt)}`, bin, ...argv],
      { cwd, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    const records = join(cwd, 'run', 'records.jsonl');
    const count = (): number =>
      existsSync(records) ? readFileSync(records, 'utf8').trimEnd().split('\n').length : 0;
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    expect(await new Promise((resolve) => child.on('close', resolve))).toBe(130);
    expect(err).toContain(`Stopped. The ${count()} answers so far are kept in`);
    expect(existsSync(join(cwd, 'run', 'run.lock'))).toBe(false);
    expect((await run(argv, {}, cwd)).code).toBe(0);
    expect(count()).toBe(40 * 3);
  });
});
