// Checks that a user's module loads. A module that blocks would block the program, so a worker thread loads it first.

import { Worker } from 'node:worker_threads';

/** The worker's code. It posts why the module failed to load, or null. */
const TRIAL = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData).then(
    () => parentPort.postMessage(null),
    (cause) => parentPort.postMessage(String(cause instanceof Error ? cause.message : cause)),
  );
`;

/** Generous for modules that load models or read files. */
const MODULE_MS = 10_000;

/**
 * Loads a module in a worker thread and discards it. The module runs again when it is imported.
 * @param href the module's URL.
 * @throws Error if it fails, ends its process, or does not load in time.
 */
export async function loadsInTime(href: string, limitMs: number = MODULE_MS): Promise<void> {
  const worker = new Worker(TRIAL, { eval: true, workerData: href, stdout: true, stderr: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    const problem = await new Promise<string | null>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('it ends the process')));
      timer = setTimeout(
        () => reject(new Error(`it did not finish loading within ${limitMs / 1000} s`)),
        limitMs,
      );
    });
    if (problem !== null) throw new Error(problem);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
