// Resident memory of this process, now and at its peak during some work. Only Linux reports the peak.

import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Resident bytes after garbage collection. */
export function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage.rss();
}

/** Peak resident bytes while `work` runs; undefined if the system cannot reset its peak counter. */
export async function peakBytesOf(work: () => Promise<unknown>): Promise<number | undefined> {
  collectGarbage();
  const isReset = resetMark();
  await work();
  return isReset ? readMark() : undefined;
}

/** Collects garbage; otherwise memory left over from earlier work would count toward later work. */
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
