// The model's worker over the life of the page: started, replaced when the model or the device changes, restarted.

import { problemOf, WorkerClient } from '../lib/client.js';
import { device, engine, model } from './store.js';

let client: WorkerClient | undefined;

/** The worker whose model is loaded. */
export function readyClient(): WorkerClient | undefined {
  return engine.value.phase === 'ready' ? client : undefined;
}

/** Starts a worker with the chosen model on the chosen device; ends the one before. */
export async function startEngine(): Promise<void> {
  client?.terminate();
  const own = new WorkerClient();
  client = own;
  const files = new Map<string, { readonly loaded: number; readonly total: number }>();
  engine.value = { phase: 'loading', loaded: 0, total: 0 };
  try {
    const facts = await own.call(
      'load',
      { model: model.value, device: device.value, site: new URL('./', document.baseURI).href },
      {
        onProgress({ file, loaded, total }) {
          if (client !== own) return;
          files.set(file, { loaded, total });
          const all = [...files.values()];
          const sum = (of: 'loaded' | 'total'): number =>
            all.reduce((bytes, one) => bytes + (one[of] || 0), 0);
          engine.value = { phase: 'loading', loaded: sum('loaded'), total: sum('total') };
        },
      },
    );
    if (client !== own) return;
    if (device.value !== facts.device) device.value = facts.device;
    engine.value = { phase: 'ready', facts };
  } catch (error) {
    const problem = problemOf(error);
    if (client !== own || problem === undefined) return;
    own.terminate();
    engine.value = { phase: 'failed', problem };
  }
}
