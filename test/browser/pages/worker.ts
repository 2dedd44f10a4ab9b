// The worker's script: one request in, one reply out, as it is.

import { selectOnModel } from './select.js';
import { runTinyModels } from './tiny-model.js';

const calls: Readonly<Record<string, (input: never) => Promise<unknown>>> = { runTinyModels, selectOnModel };

self.onmessage = async ({ data: { name, input } }: MessageEvent<{ name: string; input: unknown }>) => {
  try {
    self.postMessage({ reply: await calls[name]?.(input as never) });
  } catch (error) {
    self.postMessage({ problem: error instanceof Error ? error.stack : String(error) });
  }
};
