// Queues for work on sessions. WebAssembly builds of ONNX Runtime accept one call at a time on WebGPU ("Session already started").

import type { OrtModule } from './ort-api.js';

/** Runs work, possibly later, and settles with its result. */
export type Exclusive = <T>(run: () => Promise<T>) => Promise<T>;

/** Runs work immediately. */
export const inNoQueue: Exclusive = (run) => run();

const queues = new WeakMap<object, Exclusive>();

/** The queue shared by all backends on one copy of ONNX Runtime. Failed work does not block later work. */
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
