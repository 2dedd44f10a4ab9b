import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { samples } from '@mmtok/tiny-vlm';
import { expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { fakeIo } from '../../test/fake-io.js';
import { fakeServices } from '../../test/fake-services.js';
import { main } from '../main.js';

/** The number of sample images, and of questions with at most `count` per image. */
async function sampleCounts(count: number): Promise<{ images: number; questions: number }> {
  const perImage = new Map<string, number>();
  for (const { image } of await samples()) perImage.set(image, (perImage.get(image) ?? 0) + 1);
  const asked = [...perImage.values()].map((all) => Math.min(all, count));
  return { images: perImage.size, questions: asked.reduce((sum, each) => sum + each, 0) };
}

it('shows the embedded model at work, in 80 columns', async () => {
  const io = fakeIo({ cwd: temporary(), terminal: 80 });
  const { images } = await sampleCounts(1);
  expect(await main(['demo', '--questions', '1'], io)).toBe(0);
  const lines = io.out().split('\n');
  expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(80);
  expect(lines.filter((line) => /57\/576/.test(line))).toHaveLength(images);
  expect(io.out()).toContain(`All tokens: ${images} of ${images} correct.`);
  expect(io.out().replaceAll('\n', ' ')).toMatch(
    /First token, from pixels: [\d.]+ × as fast\. With all tokens, the encoder takes [\d.]+ % .* Prefill alone: /,
  );
  expect(io.out()).toContain('mmtok-demo/scene-0.png');
  expect(io.out()).toContain('--model HuggingFaceTB/SmolVLM2-256M-Video-Instruct');
  expect(await readdir(join(io.cwd, 'mmtok-demo'))).toHaveLength(images);
});

it('marks wrong answers, also in JSON', async () => {
  const io = fakeIo({ cwd: temporary() });
  const { services } = fakeServices();
  const counts = await sampleCounts(2);
  const [first] = await samples();
  const short = (await samples()).find(({ answer }) => /^\w{1,12}$/.test(answer));
  expect(await main(['demo', '--questions', '2', '--out', 'x'], io, services)).toBe(0);
  expect(io.out()).toContain('a cat ✗');
  expect(io.out()).toContain(`(${short!.answer})`);
  expect(io.out()).toContain(`Pruned: 0 of ${counts.questions} correct.`);
  const json = fakeIo({ cwd: io.cwd });
  await main(['demo', '--json', '--questions', '2'], json, services);
  const { questions, overlays } = JSON.parse(json.out());
  expect(questions).toHaveLength(counts.questions);
  expect(questions[0]).toMatchObject({
    expected: first!.answer,
    pruned: { answer: 'a cat', isRight: false },
  });
  expect(overlays).toHaveLength(counts.images);
});

it('names the image that cannot be written', async () => {
  const io = fakeIo({ cwd: temporary() });
  const path = join(io.cwd, 'mmtok-demo', 'scene-0.png');
  await mkdir(path, { recursive: true });
  expect(await main(['demo', '--questions', '1'], io, fakeServices().services)).toBe(2);
  expect(io.err()).toBe(`error: Cannot use '${path}': it is a folder.\n`);
});

it('rejects a folder that cannot be created', async () => {
  const io = fakeIo({ cwd: temporary() });
  await writeFile(join(io.cwd, 'taken'), '');
  expect(await main(['demo', '--out', 'taken'], io, fakeServices().services)).toBe(2);
  expect(io.err()).toContain("Cannot use 'taken': the folder cannot be created");
});
