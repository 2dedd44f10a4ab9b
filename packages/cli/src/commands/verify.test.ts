import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { fakeIo } from '../../test/fake-io.js';
import { fakeServices, fakeVerification } from '../../test/fake-services.js';
import { main } from '../main.js';
import { services } from './context.js';

it('verifies the embedded model offline, with a table, a page, and JSON', async () => {
  const io = fakeIo({ cwd: temporary() });
  const code = await main(['verify', 'tiny-small', '--repeats', '0', '--max-new-tokens', '3'], io, services);
  expect(code).toBe(0);
  expect(io.out()).toMatch(/^tiny-small: LLaVA, fp16 on cpu; transformers\.js \d/);
  expect(io.out().match(/^✓/gm)).toHaveLength(6);
  expect(io.out()).toContain('Pruning is correct');
  const json = JSON.parse(await readFile(join(io.cwd, 'mmtok-verify', 'verify.json'), 'utf8'));
  expect(json).toMatchObject({ mmtok: expect.any(String), machine: expect.stringContaining('Node') });
  expect(json.report).toMatchObject({ passed: true, model: { source: 'tiny-small' } });
  expect(JSON.stringify(json)).not.toContain('data:image');
  const page = await readFile(join(io.cwd, 'mmtok-verify', 'verify.html'), 'utf8');
  expect(page.match(/<svg /g)).toHaveLength(4);
  expect(page.match(/href="data:image\/bmp/g)).toHaveLength(4);
});

it('shows times, and exits with 1 if a check failed', async () => {
  const io = fakeIo({ cwd: temporary() });
  const verified = fakeVerification('x', false);
  expect(await main(['verify', './export', '--out', 'r'], io, fakeServices({ verified }).services)).toBe(1);
  expect(io.out()).toMatch(/all +4 +9 .* 151 +1\.00× +200\.0 MB\n/);
  expect(io.out()).toMatch(/one token +1 +9 .* 63 +2\.40× +100\.0 MB\n/);
  expect(io.out()).toContain('✗ features from before the projector');
  expect(io.out()).toContain('A check failed.');
  const json = await readFile(join(io.cwd, 'r', 'verify.json'), 'utf8');
  expect(JSON.parse(json).report.model.source).toBe('./export');
  expect(json).not.toContain('somebody');
});

it('prints the same JSON that it writes', async () => {
  const io = fakeIo({ cwd: temporary() });
  await main(['verify', 'a/b', '--json'], io, fakeServices().services);
  expect(JSON.parse(io.out())).toEqual(
    JSON.parse(await readFile(join(io.cwd, 'mmtok-verify', 'verify.json'), 'utf8')),
  );
});

it("escapes a model's text for browsers and terminals", async () => {
  const io = fakeIo({ cwd: temporary() });
  const hostile = '"><script>alert(1)</script>\u001b]0;x\u0007 & \'';
  const verified = fakeVerification(hostile);
  await main(['verify', './export'], io, fakeServices({ verified }).services);
  const page = await readFile(join(io.cwd, 'mmtok-verify', 'verify.html'), 'utf8');
  expect(page).not.toContain('<script');
  expect(page).toContain('&lt;script&gt;');
  expect(page.match(/&quot;&gt;&lt;script/g)?.length).toBeGreaterThan(8);
  expect(io.out()).not.toContain('\u001b]');
});

it('rejects invalid options and folders before it starts', async () => {
  const io = fakeIo({ cwd: temporary() });
  const run = (...words: string[]): Promise<number> =>
    main(['verify', ...words], io, fakeServices().services);
  for (const ratio of ['0%', '100%', '64', 'x']) expect(await run('a/b', '--ratio', ratio)).toBe(2);
  expect(io.err()).toContain("--ratio: expected a percentage between 0 and 100 such as 25%, got '64'");
  expect(await run()).toBe(2);
  await writeFile(join(io.cwd, 'taken'), '');
  expect(await run('a/b', '--out', 'taken')).toBe(2);
  expect(io.err()).toMatch(/taken.*cannot be written/);
});
