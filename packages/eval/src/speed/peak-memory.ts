// Resident memory of this process, now and at the peak of some work. Only Linux reports the latter.

import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Resident bytes after garbage collection. */
export function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

/** The peak of resident bytes while `work` runs; undefined if the system has no resettable mark. */
export async function peakBytesOf(work: () => Promise<unknown>): Promise<number | undefined> {
  collectGarbage();
  const isReset = resetMark();
  await work();
  return isReset ? readMark() : undefined;
}

/** Leftovers of earlier work would count as later work's. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function resetMark(): boolean {
  try {
    // https://www.kernel.org/doc/html/latest/filesystems/proc.html, clear_refs
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function readMark(): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
  } catch {
    return undefined;
  }
}
