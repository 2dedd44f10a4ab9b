// The page's script. Tests call what it exports: here, or in a module worker.

export { selectOnModel } from './select.js';
export { runOnWebGpu, runTinyModels } from './tiny-model.js';

/** Calls one of these in a module worker, which posts back what it returns. */
export async function inWorker({ name, input }: { name: string; input: unknown }): Promise<unknown> {
  const worker = new Worker('/worker.js', { type: 'module' });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<{ reply?: unknown; problem?: string }>) =>
        data.problem === undefined ? resolve(data.reply) : reject(new Error(data.problem));
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage({ name, input });
    });
  } finally {
    worker.terminate();
  }
}
