import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { inTemporaryFolder, openSession, type SpeedRuntime } from './runtime.js';

it('exists during the work and is removed afterwards, even on failure', async () => {
  const seen: string[] = [];
  const listeners = process.listenerCount('SIGINT');
  const work = (folder: string): Promise<number> => {
    seen.push(folder);
    writeFileSync(join(folder, 'weights.bin'), '1');
    return seen.length === 1 ? Promise.resolve(7) : Promise.reject(new Error('no memory'));
  };
  expect(await inTemporaryFolder('mmtok-test-', work)).toBe(7);
  await expect(inTemporaryFolder('mmtok-test-', work)).rejects.toThrow('no memory');
  expect(seen.filter((folder) => existsSync(folder))).toEqual([]);
  expect(process.listenerCount('SIGINT')).toBe(listeners);
});

it.skipIf(process.platform === 'win32').each(['SIGINT', 'SIGTERM'] as const)(
  'is gone after %s, of which the process dies',
  async (signal) => {
    const folder = temporary();
    const program = join(folder, 'program.mjs');
    await build({
      stdin: {
        contents: `
          import { writeFileSync } from 'node:fs';
          import { inTemporaryFolder } from './runtime.js';
          await inTemporaryFolder('weights-', async (folder) => {
            writeFileSync(folder + '/weights.bin', '1');
            console.log(folder);
            await new Promise((resolve) => setTimeout(resolve, 60_000));
          });`,
        resolveDir: fileURLToPath(new URL('.', import.meta.url)),
      },
      bundle: true,
      conditions: ['@mmtok/source'],
      platform: 'node',
      format: 'esm',
      outfile: program,
    });
    const child = spawn(process.execPath, [program], { env: { ...process.env, TMPDIR: folder } });
    const ended = new Promise((resolve) => child.on('exit', (code, by) => resolve({ code, by })));
    child.stdout.once('data', () => child.kill(signal));
    expect(await ended).toEqual({ code: null, by: signal });
    expect(readdirSync(folder).filter((name) => statSync(join(folder, name)).isDirectory())).toEqual([]);
  },
);

it('says which operator a runtime lacks', async () => {
  const failing = (message: string): SpeedRuntime => ({
    InferenceSession: { create: () => Promise.reject(new Error(message)) },
    Tensor: class {} as unknown as SpeedRuntime['Tensor'],
  });
  const old = failing('Fatal error: No Op registered for LinearAttention with domain_version of 1');
  await expect(openSession(old, 'layers.onnx', 'cpu')).rejects.toMatchObject({
    code: 'MMTOK_BACKEND_UNAVAILABLE',
    message: expect.stringContaining('it has no operator LinearAttention'),
  });
  await expect(openSession(failing('no such file'), 'layers.onnx', 'cpu')).rejects.toThrow(/^no such file$/);
});
