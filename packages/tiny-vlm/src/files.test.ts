// Where the package's files are found: on disk, and on a server.
import { afterEach, expect, test, vi } from 'vitest';
import { files as browser } from './files-browser.js';
import { files as disk } from './files-node.js';

afterEach(() => void vi.unstubAllGlobals());

test('a missing file on disk is named, with what to do', async () => {
  await expect(disk.readText('no-such-folder/questions.jsonl')).rejects.toMatchObject({
    code: 'MMTOK_QUESTIONS_MISSING',
    message: expect.stringMatching(/no-such-folder.*Reinstall/),
  });
});

test.each([
  ['/tiny-vlm', 'http://localhost:3000/tiny-vlm/samples/0.png', '//localhost:3000/tiny-vlm/model'],
  ['../assets/', 'http://localhost:3000/assets/samples/0.png', '//localhost:3000/assets/model'],
  ['https://example.org/x/', 'https://example.org/x/samples/0.png', '//example.org/x/model'],
])('in a browser, the files are under %s', (baseUrl, image, model) => {
  const href = 'http://localhost:3000/app/index.html';
  vi.stubGlobal('location', { href });
  expect(browser.locate('samples/0.png', baseUrl)).toBe(image);
  expect(browser.modelSource('model', new URL(baseUrl, href))).toBe(model);
});

test('in a browser, baseUrl is required', async () => {
  expect(() => browser.modelSource('model', undefined)).toThrow(
    expect.objectContaining({ code: 'MMTOK_INVALID_OPTIONS', message: expect.stringContaining('baseUrl') }),
  );
  expect(() => browser.locate('model', 'not absolute')).toThrow(
    expect.objectContaining({ code: 'MMTOK_INVALID_OPTIONS' }),
  );
});

test('a file that the server lacks is named', async () => {
  const answers = [
    () => Promise.resolve(new Response('', { status: 404 })),
    () => Promise.reject(new Error('down')),
  ];
  for (const answer of answers) {
    vi.stubGlobal('fetch', answer);
    await expect(browser.readText('samples/questions.jsonl', 'http://localhost/vlm')).rejects.toMatchObject({
      code: 'MMTOK_QUESTIONS_MISSING',
      message: expect.stringContaining('http://localhost/vlm/samples/questions.jsonl'),
    });
  }
  vi.stubGlobal('fetch', async (url: URL) => new Response(`content of ${url.pathname}`));
  expect(await browser.readText('a.txt', 'http://localhost')).toBe('content of /a.txt');
});
