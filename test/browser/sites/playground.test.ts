// The built page in Chromium: it shows what Node keeps, answers, keeps its state in the address, and says what is wrong.

import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeModel } from '@mmtok/onnx';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { type PruneOptions, prune } from '@mmtok/transformers';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildTinyModel } from '../../../packages/transformers/test/tiny-models/index.js';
import { chromiumPath, softwareWebGpu } from '../chromium.js';
import { answersOf, buildSite, engineOf, gate, keptOf, screenshots, setDetails } from './playground.js';
import { launch, open, PATIENCE, seriousFindings, type Tab } from './tab.js';

const QUESTION = 'What color is the square?';
const IMAGE = '5.png';
const TOKENS = 57;
/** As the page itself writes it. */
const STATE = `#${new URLSearchParams({
  image: IMAGE,
  q: QUESTION,
  kept: String(TOKENS),
  method: 'mmtok',
  view: 'kept',
  device: 'wasm',
})}`;
/** For `expect.poll`: what is read may take as long as anything else on the page. */
const patient = { timeout: PATIENCE };

/** What to ask in Node. */
interface Asked {
  readonly size: 'base' | 'tiled';
  readonly image: string;
  readonly question: string;
  readonly tokens: number;
  readonly tiles?: PruneOptions['tiles'];
}

/** What Node keeps and answers. */
interface InNode {
  readonly text: string;
  readonly indices: readonly number[];
  /** Tiles that were not encoded, numbered row by row. */
  readonly skipped: readonly number[];
}

/** Asks in Node. */
async function inNode({ size, image, question, tokens, tiles }: Asked): Promise<InNode> {
  const { model, processor, ask } = await loadTinyVlm({ size });
  const handle = prune(model, { processor, budget: { tokens }, ...(tiles && { tiles }) });
  const found = (await samples({ size })).find((sample) => sample.image.endsWith(image))?.image ?? '';
  const text = await ask(found, question);
  const report = handle.lastReport?.images[0];
  await model.dispose();
  return {
    text,
    indices: report?.indices ?? [],
    skipped: (report?.tiles ?? []).flatMap(({ imagePart, skipped }) =>
      skipped && Array.isArray(imagePart) ? [4 * imagePart[0] + imagePart[1]] : [],
    ),
  };
}

/** A vision encoder that asks for twice 3 GB, where WebAssembly has 4. */
function tooLarge(): Uint8Array {
  return encodeModel({
    graph: {
      inputs: [{ name: 'pixel_values', dtype: 'float32', dims: ['batch', 3, 'height', 'width'] }],
      outputs: [{ name: 'image_features' }],
      nodes: [
        { opType: 'Expand', inputs: ['zero', 'shape'], outputs: ['large'] },
        { opType: 'ReduceSum', inputs: ['pixel_values'], outputs: ['sum'] },
        { opType: 'Add', inputs: ['large', 'sum'], outputs: ['image_features'] },
      ],
      initializers: [
        { name: 'zero', dtype: 'float32', dims: [1], data: [0] },
        { name: 'shape', dtype: 'int64', dims: [2], data: [28_000, 28_000] },
      ],
    },
  });
}

describe.skipIf(chromiumPath === undefined)('the built page', () => {
  let [browser, folder] = [] as unknown as [Browser, string];
  beforeAll(async () => {
    mkdirSync(screenshots, { recursive: true });
    [folder, browser] = await Promise.all([buildSite(), launch()]);
  });
  afterAll(() => browser?.close());

  describe('on a server that isolates pages', () => {
    let tab: Tab;
    beforeAll(async () => {
      tab = await open(browser, { folder, isolated: true, hash: STATE });
    });
    afterAll(() => tab?.close());
    // Each test starts from the same state; the model is loaded again only where the one before left another image or question.
    beforeEach(async () => {
      const { page, server } = tab;
      await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
      await page.setViewportSize({ width: 1280, height: 900 });
      if (new URL(page.url()).hash !== STATE) {
        await page.goto('about:blank');
        await page.goto(`${server.url}${STATE}`);
      }
      await setDetails(page, false);
      await answersOf(page);
    });

    test('loads the model with threads, and answers as Node does from the same tokens', async () => {
      const expected = await inNode({ size: 'base', image: IMAGE, question: QUESTION, tokens: TOKENS });
      expect(await engineOf(tab.page)).toBe('ready');
      expect(await tab.page.textContent('.engine')).toMatch(/WebAssembly, [2-4] threads/);
      const answers = await answersOf(tab.page);
      expect(await keptOf(tab.page, TOKENS)).toEqual(expected.indices);
      expect(answers.kept).toBe(expected.text);
    });

    test('draws kept patches bright and the others dim', async () => {
      const kept = new Set(await keptOf(tab.page, TOKENS));
      const [shown, plain] = (await tab.page.evaluate(
        `(async () => {
          const middles = (context, size) => Array.from({ length: 576 }, (_, at) =>
            [...context.getImageData(((at % 24) + 0.5) / 24 * size, (Math.floor(at / 24) + 0.5) / 24 * size, 1, 1).data]);
          const overlay = document.querySelector('[data-overlay]');
          const image = await createImageBitmap(await (await fetch('tiny-vlm/samples/${IMAGE}')).blob());
          const canvas = new OffscreenCanvas(overlay.width, overlay.height);
          const context = canvas.getContext('2d');
          context.imageSmoothingQuality = 'high';
          context.drawImage(image, 0, 0, canvas.width, canvas.height);
          return [middles(overlay.getContext('2d'), overlay.width), middles(context, canvas.width)];
        })()`,
      )) as [readonly number[][], readonly number[][]];
      for (let patch = 0; patch < 576; patch++) {
        const sum = (pixels: readonly number[][]): number =>
          (pixels[patch] ?? []).slice(0, 3).reduce((total, value) => total + value, 0);
        if (kept.has(patch)) expect(shown[patch]).toEqual(plain[patch]);
        else expect(sum(shown)).toBeLessThan(sum(plain) * 0.5 + 40);
      }
    });

    test('moves the slider without a new selection; the address and the answer follow', async () => {
      const { page } = tab;
      const before = await keptOf(page, TOKENS);
      await page.focus('#kept');
      await page.keyboard.press('ArrowLeft');
      const after = await keptOf(page, TOKENS - 1);
      expect(before).toEqual(expect.arrayContaining([...after]));
      await expect.poll(() => new URL(page.url()).hash, patient).toContain('kept=56');
      await answersOf(page);
      await expect.poll(() => page.textContent('.verdict'), patient).toContain('56 of 576');
    });

    test('describes the patch that the arrow keys reach, and what it represents', async () => {
      const { page } = tab;
      await page.focus('.image-frame');
      await page.keyboard.press('Home');
      const facts = (): Promise<string | null> => page.textContent('.patch-info');
      await expect.poll(facts, patient).toMatch(/Row \d+, column \d+/);
      expect(await facts()).toContain('kept, pick 1');
      await expect.poll(facts, patient).toMatch(/Represents\s*\d+ patch/);
    });

    test('lists the kept patches as text', async () => {
      const rows = tab.page.locator('.token-table tbody tr');
      await tab.page.click('.token-table summary');
      await expect.poll(() => rows.count(), patient).toBe(24);
      await tab.page.click('.token-table summary');
      await expect.poll(() => rows.count(), patient).toBe(0);
    });

    test("runs the user's own select, and shows its errors", async () => {
      const { page } = tab;
      await page.click('.editor summary');
      await page.fill('#select-code', 'export default () => [0, 0];');
      await page.click('.editor .primary');
      await expect
        .poll(() => page.textContent('[data-method=custom] .problem'), patient)
        .toContain('expected 57 indices, got 2');
      await page.fill(
        '#select-code',
        'export default (_, { tokens }) => Array.from({ length: tokens }, (_, i) => i);',
      );
      await page.click('.editor .primary');
      await expect
        .poll(() => page.textContent('[data-method=custom] .method-time'), patient)
        .toContain('select');
      await expect
        .poll(() => page.getAttribute('[data-method=custom] canvas', 'aria-label'), patient)
        .toBe('Your own: 57 patches kept');
      expect(page.url()).not.toContain('export');
    });

    test('takes an image that is dropped, pasted, or seen by the camera', async () => {
      const { page } = tab;
      const shows = (name: string): Promise<unknown> => page.waitForSelector(`[aria-label^="${name},"]`);
      const give = async (kind: 'drop' | 'paste'): Promise<void> => {
        await page.evaluate(async (type) => {
          const canvas = new OffscreenCanvas(64, 64);
          canvas.getContext('2d')?.fillRect(16, 16, 32, 32);
          const data = new DataTransfer();
          data.items.add(new File([await canvas.convertToBlob()], 'dropped.png', { type: 'image/png' }));
          const options = { bubbles: true, cancelable: true };
          document.body.dispatchEvent(
            type === 'drop'
              ? new DragEvent('drop', { ...options, dataTransfer: data })
              : new ClipboardEvent('paste', { ...options, clipboardData: data }),
          );
        }, kind);
      };
      await give('drop');
      await shows('dropped.png');
      await give('paste');
      await shows('Pasted image');
      await page.click('text=Use the camera');
      await page.click('text=Take the photo');
      await shows('Camera image');
    });

    test('shows nothing of an earlier question once another one is asked', async () => {
      const { page } = tab;
      await page.click('[data-panel=compare] .panel-actions button');
      await page.waitForSelector('.method[aria-busy=true]');
      await page.click(`.suggestions button:text-is("${QUESTION}")`);
      // The worker answers one call after another, so a comparison that went on would be in these answers' way.
      await answersOf(page);
      expect(await page.locator('.method[aria-busy=true]').count()).toBe(0);
      expect(await page.locator('[data-panel=compare] .badge').count()).toBe(0);
    });

    describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
      test.each([
        ['desktop', 1280, 900],
        ['phone', 390, 844],
      ] as const)('has no serious accessibility finding, and fits on a %s', async (name, width, height) => {
        const { page } = tab;
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize({ width, height });
        await expect.poll(() => page.evaluate('innerWidth'), patient).toBe(width);
        for (const [isOpen, suffix] of [
          [false, ''],
          [true, '-open'],
        ] as const) {
          await setDetails(page, isOpen);
          expect(await seriousFindings(page)).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          await page.screenshot({
            path: join(screenshots, `${name}-${colorScheme}${suffix}.png`),
            fullPage: true,
          });
        }
      });
    });

    test('had no error in the console, and asked no other server for anything', () => {
      expect(tab.errors).toEqual([]);
      expect(tab.outside).toEqual([]);
    });
  });

  // Software rendering takes a minute on idle cores.
  test('on WebGPU, keeps and answers the same as on WebAssembly', { timeout: 900_000 }, async () => {
    const webgpu = await launch(softwareWebGpu);
    try {
      const { page, errors } = await open(webgpu, { folder, isolated: true, hash: STATE });
      expect(await engineOf(page)).toBe('ready');
      const onWasm = [await answersOf(page), await keptOf(page, TOKENS)];
      await page.waitForSelector('input[value=webgpu]:enabled', { state: 'attached' });
      await page.evaluate(`document.querySelector('input[value=webgpu]').click()`);
      await page.waitForSelector('.engine[data-engine=ready]:has-text("WebGPU")');
      expect([await answersOf(page), await keptOf(page, TOKENS)]).toEqual(onWasm);
      expect(errors).toEqual([]);
    } finally {
      await webgpu.close();
    }
  });

  test('on a plain server: precomputed at once, then one thread, and the page says why', async () => {
    // The model waits until the first view has been looked at.
    const looked = gate();
    const after = { 'tiny-vlm/model/onnx/vision_encoder.onnx': looked.passed };
    const { page, errors, outside, close } = await open(browser, { folder, isolated: false, after });
    try {
      await page.waitForSelector('.token-table[data-origin=precomputed]');
      await expect.poll(() => page.locator('.answer .badge-precomputed').count(), patient).toBe(2);
      await page.screenshot({ path: join(screenshots, 'first-view.png') });
      const before = await keptOf(page, TOKENS);
      looked.open();
      expect(await engineOf(page)).toBe('ready');
      expect(await page.textContent('.engine')).toContain('1 thread');
      await expect.poll(() => page.textContent('.notes'), patient).toContain('COOP and COEP');
      await answersOf(page);
      expect(await keptOf(page, TOKENS)).toEqual(before);
      expect([errors, outside]).toEqual([[], []]);
    } finally {
      looked.open();
      await close();
    }
  });

  describe.each([
    ['on a server that isolates pages', true],
    ['on a plain server', false],
  ] as const)('the tiled model, %s', (_, isolated) => {
    const asked = {
      size: 'tiled',
      image: '2.png',
      question: 'Read the green sign.',
      tokens: 27,
    } as const;

    test('loads once it is chosen, encodes the tiles that Node encodes, and answers alike', async () => {
      const { page, server, errors, outside, close } = await open(browser, { folder, isolated });
      try {
        await answersOf(page);
        expect(server.requested.filter((name) => name.includes('tiled'))).toEqual([]);
        await page.check('input[name=embedded][value=tiled]');
        await page.waitForSelector('.engine[data-engine=ready]:has-text("tiled")');

        for (const [kind, tiles, code] of [
          ['worth', { worth: 0.2 }, 'tiles: { worth: 0.2 }'],
          ['max', { max: 6 }, 'tiles: { max: 6 }'],
        ] as const) {
          const expected = await inNode({ ...asked, tiles });
          await page.check(`input[name=tiles][value=${kind}]`);
          const skipped = (): Promise<string | null> => page.getAttribute('.image-frame', 'data-skipped');
          await expect.poll(skipped, patient).toBe(expected.skipped.join(' '));
          await expect
            .poll(() => page.textContent('.tile-control output'), patient)
            .toBe(`${17 - expected.skipped.length} of 17`);
          const answers = await answersOf(page);
          expect(await keptOf(page, asked.tokens)).toEqual(expected.indices);
          expect(answers.kept).toBe(expected.text);
          await expect.poll(() => page.textContent('.code'), patient).toContain(code);
        }
        await expect.poll(() => page.url(), patient).toMatch(/image=signs%2F2\.png.*tiles=6.*model=tiled/);

        await page.check('input[name=tiles][value=all]');
        await expect.poll(() => page.textContent('.tile-control output'), patient).toBe('17 of 17');
        await answersOf(page);
        expect(await keptOf(page, asked.tokens)).toEqual((await inNode(asked)).indices);
        expect([errors, outside]).toEqual([[], []]);
      } finally {
        await close();
      }
    });
  });

  test('the tiled model: precomputed at once from a link, dropped tiles labeled, accessible', async () => {
    const looked = gate();
    const after = { 'tiny-vlm/model-tiled/onnx/vision_encoder_fp16.onnx': looked.passed };
    const hash = '#model=tiled';
    const { page, errors, close } = await open(browser, { folder, isolated: true, hash, after });
    try {
      await page.waitForSelector('.token-table[data-origin=precomputed]');
      await expect.poll(() => page.locator('.answer .badge-precomputed').count(), patient).toBe(2);
      const before = await keptOf(page, 27);
      looked.open();
      await answersOf(page);
      expect(await keptOf(page, 27)).toEqual(before);
      await expect
        .poll(() => page.getAttribute('.tiles canvas', 'aria-label'), patient)
        .toMatch(/^Overview: \d+ of 16 patches kept$/);
      for (const colorScheme of ['light', 'dark'] as const) {
        for (const [name, width, height] of [
          ['desktop', 1280, 900],
          ['phone', 390, 844],
        ] as const) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await page.setViewportSize({ width, height });
          await expect.poll(() => page.evaluate('innerWidth'), patient).toBe(width);
          await setDetails(page, name === 'phone');
          expect(await seriousFindings(page)).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          await page.screenshot({
            path: join(screenshots, `tiled-${name}-${colorScheme}.png`),
            fullPage: true,
          });
        }
      }
      expect(errors).toEqual([]);
    } finally {
      looked.open();
      await close();
    }
  });

  test.each([
    ['is missing', null, /404|not found|could not|cannot/i],
    ['is another file', 'not a model', /./],
  ])('says so where the model %s, and keeps the precomputed view', async (_, content, problem) => {
    const instead = { 'tiny-vlm/model/onnx/vision_encoder.onnx': content };
    const tab = await open(browser, { folder, isolated: true, instead });
    try {
      expect(await engineOf(tab.page)).toBe('failed');
      await expect.poll(() => tab.page.textContent('.answers-block .problem'), patient).toMatch(problem);
      await tab.page.waitForSelector('.token-table[data-origin=precomputed]');
      await tab.page.waitForSelector('.engine button');
    } finally {
      await tab.close();
    }
  });

  test('says so where the model needs more memory than there is', async () => {
    const instead = { 'tiny-vlm/model/onnx/vision_encoder.onnx': tooLarge() };
    const tab = await open(browser, { folder, isolated: true, instead });
    try {
      // It is seen when an image is encoded, or already while the model loads.
      await expect.poll(() => tab.page.textContent('.answers-block .problem'), patient).toMatch(/memory/i);
      await tab.page.waitForSelector('.token-table[data-origin=precomputed]');
    } finally {
      await tab.close();
    }
  });

  test('a model from the Hub without a network: says so, and offers the embedded one', async () => {
    const tab = await open(browser, { folder, isolated: true });
    try {
      await tab.page.context().route(/huggingface\.co/, (route) => route.abort());
      await tab.page.fill('#model-id', 'HuggingFaceTB/SmolVLM-256M-Instruct');
      await tab.page.click('[data-panel=model] .primary');
      await expect
        .poll(() => tab.page.textContent('[data-panel=model] .problem'), patient)
        .toContain('The embedded model works');
      await expect.poll(() => tab.page.url(), patient).toContain('model=HuggingFaceTB');
      await tab.page.click('text=Back to the embedded model');
      await tab.page.waitForSelector('[data-engine=ready]');
    } finally {
      await tab.close();
    }
  });

  test('a model from the Hub that cuts images into tiles: tiles on the image, the overview below it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'playground-'));
    const { path } = await buildTinyModel('smolvlm', { directory });
    const hash = '#model=tiny/smolvlm&dtype=fp32&kept=5&q=is+the+cat+red+?';
    const tab = await open(browser, { folder, isolated: true, hash, hub: { 'tiny/smolvlm': path } });
    try {
      expect(await engineOf(tab.page)).toBe('ready');
      await answersOf(tab.page);
      const maps = tab.page.locator('.tiles canvas');
      await expect.poll(() => maps.count(), patient).toBe(1);
      await expect
        .poll(() => maps.getAttribute('aria-label'), patient)
        .toMatch(/^Overview: \d+ of \d+ patches kept$/);
      await keptOf(tab.page, 5);
      await tab.page.focus('.image-frame');
      await tab.page.keyboard.press('ArrowRight');
      await expect.poll(() => tab.page.textContent('.patch-info'), patient).toMatch(/Row \d+, column \d+/);
      await tab.page.screenshot({ path: join(screenshots, 'tiles.png'), fullPage: true });
      // ONNX Runtime warns of unused weights in the random model's files.
      expect(tab.errors.filter((error) => !error.includes('[W:onnxruntime'))).toEqual([]);
      expect(tab.outside.every((url) => url.startsWith('https://huggingface.co/tiny/smolvlm/'))).toBe(true);
    } finally {
      await tab.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
