import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchWheel, sha256Of } from './fetch-wheel.js';

const sha256 = '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824';
const wheel = { package: 'mmtok-not-a-package', version: '1.0', sha256 };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmtok-wheel-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('fetchWheel', () => {
  it('takes a file that is already there and has the right checksum', async () => {
    const path = join(folder, 'mmtok_not_a_package-1.0-py3-none-any.whl');
    writeFileSync(path, 'hello');
    expect(await sha256Of(path)).toBe(sha256);
    expect(await fetchWheel(wheel, folder)).toBe(path);
  });
});
