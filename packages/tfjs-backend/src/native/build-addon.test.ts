import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildAddon } from './build-addon.js';
import { buildFolder, nativeRoot, packageFolder, readyFile } from './native-location.js';

const isBuilt = existsSync(readyFile(buildFolder(nativeRoot(), 'cpu')));

describe('buildAddon', () => {
  it.skipIf(!isBuilt)('does not rebuild a finished build, but tests it', async () => {
    const told: string[] = [];
    const built = await buildAddon({ tell: (line) => told.push(line) });
    expect(built).toEqual({
      path: packageFolder(buildFolder(nativeRoot(), 'cpu')),
      wasBuilt: true,
      device: 'cpu',
    });
    expect(told).toEqual([`Already built: ${built.path}`]);
  });

  it('says how to repair a build that no longer works', async () => {
    const root = mkdtempSync(join(tmpdir(), 'mmtok-native-'));
    const path = packageFolder(buildFolder(root, 'cpu'));
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'index.js'), `throw new Error('libtensorflow_cc.so.2: file too short');`);
    writeFileSync(readyFile(buildFolder(root, 'cpu')), '{}');
    await expect(buildAddon({ root })).rejects.toThrow(/file too short.*--force/s);
    rmSync(root, { recursive: true });
  });
});

describe('nativeRoot', () => {
  it('is a separate folder in the user’s cache, unless the environment names another', () => {
    expect(nativeRoot({ XDG_CACHE_HOME: '/c' })).toBe('/c/mmtok/tfjs-native');
    expect(nativeRoot({ MMTOK_TFJS_NATIVE_DIR: '/d', XDG_CACHE_HOME: '/c' })).toBe('/d');
    expect(nativeRoot({})).toMatch(/\.cache\/mmtok\/tfjs-native$/);
  });
});
