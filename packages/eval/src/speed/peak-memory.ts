// How much memory of this process is resident, and how much was at the peak of some work. Linux alone tells the latter.

import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Bytes that are resident once garbage is collected. */
export function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

/** The most bytes that are resident while `work` runs; undefined where the system keeps no mark that can be reset. */
export async function peakBytesOf(work: () => Promise<unknown>): Promise<number | undefined> {
  collectGarbage();
  const isReset = resetMark();
  await work();
  return isReset ? readMark() : undefined;
}

/** What earlier work left behind would be counted to later work. */
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
