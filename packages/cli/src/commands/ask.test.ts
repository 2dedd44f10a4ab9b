import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BackendUnavailableError } from '@mmtok/core';
import { samples } from '@mmtok/tiny-vlm';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { fakeIo } from '../../test/fake-io.js';
import { fakeAnswer, fakeServices } from '../../test/fake-services.js';
import { main } from '../main.js';

let folder: string;
beforeAll(async () => {
  folder = temporary();
  await sharp({ create: { width: 40, height: 20, channels: 3, background: 'red' } }).toFile(
    join(folder, 'a.png'),
  );
});

describe('mmtok ask', () => {
  it('answers as text', async () => {
    const io = fakeIo({ cwd: folder });
    const { services, asked, disposed } = fakeServices();
    expect(await main(['ask', 'a.png', 'What is it?', '--keep', '12%'], io, services)).toBe(0);
    expect(asked).toEqual([
      expect.objectContaining({
        question: 'What is it?',
        budget: { ratio: 0.12 },
        images: [expect.anything()],
      }),
    ]);
    expect(io.out().split('\n')).toEqual([
      'a cat',
      '',
      'tokens    2 of 16 (12.5 %) vision tokens kept',
      'coverage  text 90.0 %, vision 50.0 %',
      'time      prepare 1.0 ms, encode 20 ms, select 2.0 ms, prefill 10 ms, first token 32 ms, decode 30 ms, total 63 ms',
      'model     tiny, tokens selected by reference (cpu)',
      'note      a note',
      '',
    ]);
    expect(io.err()).toBe('');
    expect(disposed()).toBe(true);
  });

  it('streams the answer to a terminal', async () => {
    const io = fakeIo({ cwd: folder, terminal: 80 });
    await main(['ask', 'a.png', 'What is it?'], io, fakeServices().services);
    expect(io.out()).toMatch(/^a cat\n\ntokens/);
    expect(io.err()).toContain('Thinking');
  });

  it('compares the answer with the one from all tokens', async () => {
    const io = fakeIo({ cwd: folder });
    const { services, asked } = fakeServices();
    await main(['ask', 'a.png', 'What is it?', '--compare'], io, services);
    const once = ['all', { ratio: 0.1 }];
    expect(asked.map(({ budget }) => budget)).toEqual([...once, ...once, ...once]);
    expect(io.out()).toContain('(the same answer)');
    expect(io.out()).toMatch(/prefill ms +100 +10 +10\.00 ×\n/);
    expect(io.out()).toMatch(/first token ms +120 +32 +3\.75 ×\n/);
    expect(io.out()).toContain(
      'First token, from pixels: 3.75 × as fast. With all tokens, the encoder takes 16.7 % of',
    );
    expect(io.out()).toContain('Times are medians of 3 alternating runs.');
  });

  it('lets an agent answer first', async () => {
    const io = fakeIo({ cwd: folder });
    const { services, agents } = fakeServices();
    expect(await main(['ask', 'a.png', 'What is it?', '--agent'], io, services)).toBe(0);
    expect(io.out()).toContain('agent     "a tabby cat" (adds tabby, cat), 40 ms\ntokens ');
    const json = fakeIo({ cwd: folder });
    await main(['ask', 'a.png', 'What is it?', '--agent', 'tiny', '--json'], json, services);
    expect(JSON.parse(json.out())).toMatchObject({ agent: { added: ['tabby', 'cat'], ms: 40 } });
    expect(agents).toEqual(['HuggingFaceTB/SmolVLM2-256M-Video-Instruct', 'tiny']);
  });

  it('uses vision coverage with a focus instead of the paper’s terms', async () => {
    const { services, objectives } = fakeServices();
    for (const flags of [[], ['--focus', '4']]) {
      expect(await main(['ask', 'a.png', 'What is it?', ...flags], fakeIo({ cwd: folder }), services)).toBe(
        0,
      );
    }
    expect(objectives).toEqual([undefined, ['coverage vision']]);
  });

  it('encodes only the tiles that --tiles names', async () => {
    const { services, tileBudgets } = fakeServices();
    for (const flags of [[], ['--tiles', 'worth=0.2,max=9']]) {
      expect(await main(['ask', 'a.png', 'What is it?', ...flags], fakeIo({ cwd: folder }), services)).toBe(
        0,
      );
    }
    expect(tileBudgets).toEqual([undefined, { worth: 0.2, max: 9 }]);
  });

  it('prints JSON for several images', async () => {
    const io = fakeIo({ cwd: folder });
    const argv = ['ask', 'a.png', 'a.png', 'What is it?', '--json', '--compare', '--overlay', 'o.png'];
    expect(await main(argv, io, fakeServices().services)).toBe(0);
    expect(JSON.parse(io.out())).toMatchObject({
      answer: 'a cat',
      question: 'What is it?',
      model: 'tiny',
      visionTokens: 32,
      keptTokens: 4,
      images: [
        { image: 'a.png', visionTokens: 16, indices: [0, 1], coverage: { text: 0.9 } },
        { image: 'a.png' },
      ],
      timings: { prefillMs: 10, firstTokenMs: 32 },
      overlay: join(folder, 'o.png'),
      allTokens: { answer: 'a cat', timings: { prefillMs: 100, firstTokenMs: 120 } },
    });
    const { width = 0, height = 0 } = await sharp(join(folder, 'o.png')).metadata();
    expect(width).toBe(2 * 448 + 3 * 24);
    expect(height).toBeGreaterThan(224);
  });

  it('says so if no overlay can be drawn or written', async () => {
    const io = fakeIo({ cwd: folder });
    const { services } = fakeServices({
      answer: (request) => ({ ...fakeAnswer(request), overlay: async () => [] }),
    });
    expect(await main(['ask', 'a.png', 'What?', '--overlay', 'none.png'], io, services)).toBe(0);
    expect(io.err()).toContain('note: overlay skipped');
    const nowhere = fakeIo({ cwd: folder });
    const argv = ['ask', 'a.png', 'What?', '--overlay', 'no/such/folder/o.png'];
    expect(await main(argv, nowhere, fakeServices().services)).toBe(2);
    expect(nowhere.err()).toContain("Cannot use 'no/such/folder/o.png': it cannot be written");
    expect(nowhere.out()).toMatch(/^a cat\n\ntokens/);
    expect(nowhere.out()).not.toContain('overlay');
    const json = fakeIo({ cwd: folder });
    expect(await main([...argv, '--json'], json, fakeServices().services)).toBe(2);
    expect(JSON.parse(json.out())).toMatchObject({ answer: 'a cat' });
  });

  it('rejects files that are not images', async () => {
    await writeFile(join(folder, 'notes.txt'), 'not an image');
    const io = fakeIo({ cwd: folder });
    expect(await main(['ask', 'notes.txt', 'What?'], io, fakeServices().services)).toBe(2);
    expect(io.err()).toContain("Cannot use 'notes.txt': it is not an image");
  });

  it('fails with a hint if an engine is missing', async () => {
    const io = fakeIo({ cwd: folder });
    const services = {
      ...fakeServices().services,
      createBackend: () =>
        Promise.reject(new BackendUnavailableError('tfjs', 'none was found', 'Install one.')),
    };
    expect(await main(['ask', 'a.png', 'What?', '--backend', 'tfjs'], io, services)).toBe(1);
    expect(io.err()).toBe("error: Backend 'tfjs' is unavailable: none was found. Install one.\n");
  });

  it('works with the embedded model', async () => {
    const [{ image, question, answer } = { image: '', question: '', answer: '' }] = await samples();
    const io = fakeIo({ cwd: folder });
    expect(await main(['ask', image, question, '--overlay', 'kept.png'], io)).toBe(0);
    expect(io.out()).toMatch(new RegExp(`^${answer}\n\ntokens    57 of 576`));
    expect((await sharp(join(folder, 'kept.png')).metadata()).width).toBe(496);
  });
});
