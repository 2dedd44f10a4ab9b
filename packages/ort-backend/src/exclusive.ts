// Queues for work on sessions. WebAssembly builds of ONNX Runtime take one call at a time on WebGPU ("Session already started").

import type { OrtModule } from './ort-api.js';

/** Runs work, perhaps later, and settles as it does. */
export type Exclusive = <T>(run: () => Promise<T>) => Promise<T>;

/** Runs work at once. */
export const inNoQueue: Exclusive = (run) => run();

const queues = new WeakMap<object, Exclusive>();

/** The queue that all backends on one copy of ONNX Runtime share. Work that fails does not hold up what waits behind it. */
export function queueOf(InferenceSession: OrtModule['InferenceSession']): Exclusive {
  const known = queues.get(InferenceSession);
  if (known !== undefined) return known;
  let last: Promise<unknown> = Promise.resolve();
  const queue: Exclusive = (run) => {
    const result = last.then(run);
    last = result.catch(() => {});
    return result;
  };
  queues.set(InferenceSession, queue);
  return queue;
}
