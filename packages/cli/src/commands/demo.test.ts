import { mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fakeIo } from '../../test/fake-io.js';
import { fakeServices } from '../../test/fake-services.js';
import { main } from '../main.js';

const temporary = () => mkdtemp(join(tmpdir(), 'mmtok-demo-'));

it('shows the embedded model at work, in 80 columns', async () => {
  const io = fakeIo({ cwd: await temporary(), terminal: 80 });
  expect(await main(['demo', '--questions', '1'], io)).toBe(0);
  const lines = io.out().split('\n');
  expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(80);
  expect(lines.filter((line) => /25\/256/.test(line))).toHaveLength(6);
  expect(io.out()).toContain('All tokens: 6 of 6 right.');
  expect(io.out().replaceAll('\n', ' ')).toMatch(/\(prefill, median\): [\d.]+ times as fast/);
  expect(io.out()).toContain('mmtok-demo/scene-0.png');
  expect(io.out()).toContain('--model HuggingFaceTB/SmolVLM2-256M-Video-Instruct');
  expect(await readdir(join(io.cwd, 'mmtok-demo'))).toHaveLength(6);
});

it('marks wrong answers, for programs as well', async () => {
  const io = fakeIo({ cwd: await temporary() });
  const { services } = fakeServices();
  expect(await main(['demo', '--questions', '2', '--out', 'x'], io, services)).toBe(0);
  expect(io.out()).toContain('a cat ✗');
  expect(io.out()).toContain('Pruned: 0 of 12 right.');
  const json = fakeIo({ cwd: io.cwd });
  await main(['demo', '--json', '--questions', '2'], json, services);
  const { questions, overlays } = JSON.parse(json.out());
  expect(questions).toHaveLength(12);
  expect(questions[0]).toMatchObject({ expected: 'triangle', pruned: { answer: 'a cat', isRight: false } });
  expect(overlays).toHaveLength(6);
});

it('refuses a folder that cannot be made', async () => {
  const io = fakeIo({ cwd: await temporary() });
  await writeFile(join(io.cwd, 'taken'), '');
  expect(await main(['demo', '--out', 'taken'], io, fakeServices().services)).toBe(2);
  expect(io.err()).toContain("Cannot use 'taken': it cannot be made a folder");
});
