import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { fakeTask } from '../../test/fake-run.js';
import { findChromium } from '../../test/find-chromium.js';
import { folder, run } from '../../test/sample-run.js';
import { type RunResult, writeReport } from '../index.js';

describe('the page', () => {
  it('has every part and no external resources', async () => {
    const paths = await writeReport(run);
    expect(paths.map((path) => path.split('/').at(-1))).toEqual(['report.html', 'report.md', 'report.csv']);
    const html = readFileSync(paths[0] as string, 'utf8');
    const { document } = parseHTML(html);
    for (const id of ['retention', 'kinds', 'times', 'losses', 'examples', 'methods']) {
      expect(document.getElementById(id), id).not.toBeNull();
    }
    expect(document.querySelectorAll('#retention svg path, #times svg rect').length).toBeGreaterThan(3);
    expect(document.querySelectorAll('.example').length).toBeGreaterThan(0);
    expect(document.querySelector('script')).toBeNull();
    expect(html).not.toMatch(/(src|href)="(?!data:)/);
    expect(html).toContain('Is &lt;this&gt; &quot;red&quot;?');
    expect(html).toContain('a &lt;model&gt;');
    expect(html).toContain('prefers-color-scheme: dark');
  });

  it.each([
    ['YES!', 'YES!'],
    [['YES!', 'affirmative', 'YES!'], 'YES! or affirmative'],
    [{ letter: 'B' }, 'B'],
  ])('says what was expected: %j', async (target, expected) => {
    const records = run.records.map((one) => ({ ...one, target }));
    const referenceAnswer = () => 'B';
    const [page] = (await writeReport({ ...run, records }, { ...fakeTask(0), referenceAnswer })) as [string];
    expect(readFileSync(page, 'utf8')).toContain(`<br>Expected: ${expected}. With all 16 tokens: yes.`);
  });

  it('omits the expected answer if only the task knows it', async () => {
    const records = run.records.map((one) => ({ ...one, target: { letter: 'B' } }));
    const [page] = (await writeReport({ ...run, records })) as [string];
    expect(readFileSync(page, 'utf8')).not.toContain('Expected:');
  });

  const tiled: RunResult = {
    ...run,
    settings: { ...run.settings, modelOptions: { dtype: 'q4', tiles: 'worth=0.2,max=3' } },
    records: run.records.map(({ grid: _, ...one }) => ({
      ...one,
      ...(one.indices && {
        indices: [0, 12],
        tiling: { tiles: [1, 3] as const, grid: [2, 2] as const, overview: [2, 2] as const, skipped: [2] },
      }),
    })),
  };

  it('says how the model was configured', async () => {
    const paths = (await writeReport(tiled)) as [string, string];
    for (const path of paths.slice(0, 2)) {
      expect(readFileSync(path, 'utf8')).toMatch(
        /Model options(: |<\/dt><dd>)dtype q4, tiles worth=0\.2,max=3/,
      );
    }
  });

  it('draws a tiled image as a whole, and its overview below', async () => {
    const [page] = (await writeReport(tiled)) as [string];
    const { document } = parseHTML(readFileSync(page, 'utf8'));
    const drawings = [...document.querySelectorAll('.example .view:first-child svg')].slice(0, 2);
    expect(drawings.map((svg) => svg.getAttribute('viewBox'))).toEqual(['0 0 72 24', '0 0 24 24']);
    expect(drawings.map((svg) => svg.getAttribute('aria-label'))).toEqual(['1 kept tokens', '1 kept tokens']);
  });

  const chromium = findChromium();
  it.skipIf(chromium === undefined)('dims dropped patches, and skipped tiles even more', async () => {
    const [page] = (await writeReport(tiled)) as [string];
    const { chromium: launcher } = await import('playwright-core');
    const browser = await launcher.launch({ executablePath: chromium as string, args: ['--no-sandbox'] });
    try {
      const tab = await browser.newPage();
      await tab.goto(pathToFileURL(page).href);
      /** The mean of red, green and blue at points given as shares of the width and height of a drawing. */
      const brightness = async (drawing: number, points: readonly (readonly [x: number, y: number])[]) => {
        const png = await tab.locator('.example .image').nth(drawing).screenshot();
        return (await tab.evaluate(`(async () => {
          const image = new Image();
          image.src = 'data:image/png;base64,${png.toString('base64')}';
          await image.decode();
          const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d');
          canvas.drawImage(image, 0, 0);
          return ${JSON.stringify(points)}.map(([x, y]) => {
            const [r, g, b] = canvas.getImageData(Math.floor(x * image.width), Math.floor(y * image.height), 1, 1).data;
            return (r + g + b) / 3;
          });
        })()`)) as number[];
      };
      const [kept = 0, dropped = 0, skipped = 0] = await brightness(0, [
        [1 / 12, 1 / 4],
        [3 / 12, 1 / 4],
        [11 / 12, 3 / 4],
      ]);
      expect(dropped).toBeLessThan(0.6 * kept);
      expect(skipped).toBeLessThan(0.6 * dropped);
      const [keptOverview = 0, droppedOverview = 0] = await brightness(1, [
        [1 / 4, 1 / 4],
        [3 / 4, 3 / 4],
      ]);
      expect(droppedOverview).toBeLessThan(0.6 * keptOverview);
    } finally {
      await browser.close();
    }
  });

  it.skipIf(chromium === undefined)('opens in Chromium, wide, narrow and dark, without errors', async () => {
    const [page] = (await writeReport(run)) as [string];
    const { chromium: launcher } = await import('playwright-core');
    const browser = await launcher.launch({ executablePath: chromium as string, args: ['--no-sandbox'] });
    try {
      for (const [name, width, colorScheme] of [
        ['wide', 1200, 'light'],
        ['phone', 390, 'dark'],
      ] as const) {
        const tab = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
        tab.setDefaultTimeout(120_000);
        const complaints: string[] = [];
        tab.on('console', (message) => complaints.push(message.text()));
        tab.on('pageerror', (error) => complaints.push(String(error)));
        tab.on('request', (request) => {
          if (!/^(file|data):/.test(request.url())) complaints.push(`asks for ${request.url()}`);
        });
        await tab.goto(pathToFileURL(page).href);
        expect(await tab.locator('h2').count()).toBe(7);
        expect((await tab.locator('#retention svg').last().boundingBox())?.height).toBeGreaterThan(100);
        // Wide parts scroll within themselves; the page does not.
        expect(await tab.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        const screenshot = join(folder, `${name}.png`);
        await tab.screenshot({ path: screenshot, fullPage: true });
        expect(existsSync(screenshot)).toBe(true);
        expect(complaints).toEqual([]);
        await tab.close();
      }
    } finally {
      await browser.close();
    }
  });
});
