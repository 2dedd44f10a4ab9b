// The page's script. Tests call what it exports.

import type { Reply, Request } from './select.js';

export { select as onMainThread } from './select.js';

/** The same in a module worker, which posts its reply back. */
export async function inWorker(request: Request): Promise<Reply> {
  const worker = new Worker('/worker.js', { type: 'module' });
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<{ reply?: Reply; problem?: string }>) =>
        data.reply === undefined ? reject(new Error(data.problem)) : resolve(data.reply);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(request);
    });
  } finally {
    worker.terminate();
  }
}
