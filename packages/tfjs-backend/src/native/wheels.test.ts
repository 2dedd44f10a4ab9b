import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAvailable, runCommand } from './machine.js';
import { fetchWheel, sha256Of, unpackWheel, type Wheel } from './wheels.js';

const MAKE_WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    info = 'tiny_thing-1.0.dist-info/'
    wheel.writestr('tiny/lib/a.so', 'library')
    wheel.writestr('tiny/python.py', 'code')
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: tiny-thing\\nVersion: 1.0\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;
const FILE = 'tiny_thing-1.0-py3-none-any.whl';

let folder: string;
let downloads: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmtok-wheel-'));
  downloads = join(folder, 'downloads');
  mkdirSync(downloads);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('sha256Of', () => {
  it('matches a published checksum', async () => {
    writeFileSync(join(folder, 'hello'), 'hello');
    expect(await sha256Of(join(folder, 'hello'))).toBe(
      '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    );
  });
});

// An index of one small wheel, in a folder.
describe.skipIf(!isAvailable('python3', ['-m', 'pip', '--version']))('fetchWheel, with pip', () => {
  let right: Wheel;
  beforeEach(async () => {
    const index = join(folder, 'index');
    mkdirSync(index);
    runCommand('Making a wheel', 'python3', ['-c', MAKE_WHEEL, join(index, FILE)], { hint: 'none' });
    right = { package: 'tiny-thing', version: '1.0', sha256: await sha256Of(join(index, FILE)) };
    vi.stubEnv('PIP_NO_INDEX', '1');
    vi.stubEnv('PIP_FIND_LINKS', index);
  });

  it('downloads a file whose checksum is right, and reuses it the next time', async () => {
    const path = await fetchWheel(right, downloads);
    expect(path).toBe(join(downloads, FILE));
    vi.stubEnv('PIP_FIND_LINKS', join(folder, 'nowhere'));
    expect(await fetchWheel(right, downloads)).toBe(path);
  });

  it('deletes a file whose checksum is wrong, and says so', async () => {
    const fetching = fetchWheel({ ...right, sha256: 'f00' }, downloads);
    await expect(fetching).rejects.toThrow(
      /checksum of tiny-thing==1\.0 is wrong: expected SHA-256 f00, got \w{64}\. The file was deleted/,
    );
    expect(readdirSync(downloads)).toEqual([]);
  });

  it('reports what pip says', async () => {
    await expect(fetchWheel({ ...right, version: '2.0' }, downloads)).rejects.toThrow(
      /Downloading tiny-thing==2\.0 failed.*No matching distribution.*Check the connection/s,
    );
  });

  it('unpacks only what was requested', async () => {
    unpackWheel(await fetchWheel(right, downloads), join(folder, 'out'), ['tiny/lib/']);
    expect(existsSync(join(folder, 'out', 'tiny', 'lib', 'a.so'))).toBe(true);
    expect(existsSync(join(folder, 'out', 'tiny', 'python.py'))).toBe(false);
  });
});
