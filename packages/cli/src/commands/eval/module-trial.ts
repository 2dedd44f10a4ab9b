// Whether a module of the user's loads at all. One that waits or computes for ever would take the program with it, so a thread of
// its own tries it first.

import { Worker } from 'node:worker_threads';

/** What the thread runs. Its own failure to load a module is the message. */
const TRIAL = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData).then(
    () => parentPort.postMessage(null),
    (cause) => parentPort.postMessage(String(cause instanceof Error ? cause.message : cause)),
  );
`;

/** Modules that load models or read files take seconds, not this long. */
const MODULE_MS = 10_000;

/**
 * Loads a module in a thread and throws that away. The module runs again where it is imported.
 * @param href the module's URL.
 * @throws Error saying that it failed, ended its process or did not load in time.
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
