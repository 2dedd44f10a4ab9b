import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { RunError } from '../errors.js';
import { lockFolder } from './run-folder.js';

/** A folder with the lock of a process, touched some time ago. */
function lockedBy(pid: number, host: string, agoMs = 0): string {
  const folder = temporary();
  const path = join(folder, 'run.lock');
  writeFileSync(path, JSON.stringify({ pid, host }));
  const touched = new Date(Date.now() - agoMs);
  utimesSync(path, touched, touched);
  return folder;
}

it.skipIf(process.platform !== 'linux')('fails at once where no folder can be made', () => {
  expect(() => lockFolder('/proc/nope/deeper')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

describe('the lock of a folder', () => {
  it('names its holder and disappears on release', () => {
    const folder = join(temporary(), 'new');
    const lock = lockFolder(folder);
    const path = join(folder, 'run.lock');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ pid: process.pid, host: hostname() });
    expect(() => lockFolder(folder)).toThrow(
      expect.objectContaining({
        code: 'MMTOK_EVAL_RUN',
        message: expect.stringContaining(`(process ${process.pid} on ${hostname()})`),
      }),
    );
    lock.release();
    expect(existsSync(path)).toBe(false);
    lockFolder(folder).release();
  });

  it('is held by a running process', () => {
    expect(() => lockFolder(lockedBy(process.ppid, hostname()))).toThrow(RunError);
  });

  it('is reclaimed from a killed process, even if the next one reuses its id', () => {
    const { pid } = spawnSync(process.execPath, ['--version']);
    lockFolder(lockedBy(pid, hostname())).release();
    lockFolder(lockedBy(process.pid, hostname())).release();
  });

  it('is reclaimed from another machine only once it is stale', () => {
    const folder = lockedBy(1, 'elsewhere', 60_000);
    expect(() => lockFolder(folder)).toThrow('2 minutes');
    expect(() => lockFolder(folder)).toThrow(join(folder, 'run.lock'));
    lockFolder(lockedBy(1, 'elsewhere', 121_000)).release();
  });

  it('can be read while it is being written', () => {
    const folder = temporary();
    writeFileSync(join(folder, 'run.lock'), '');
    expect(() => lockFolder(folder)).toThrow(RunError);
  });
});
