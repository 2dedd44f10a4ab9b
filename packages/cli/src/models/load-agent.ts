// Loads a model that answers first by what the command line calls it.

import type { CreateAgentOptions, VlmAgent } from '@mmtok/agent';
import { HubUnreachableError } from '../errors.js';
import type { Io } from '../terminal/io.js';
import { createStatusLine } from '../terminal/status-line.js';
import { downloadProgress } from './download-progress.js';
import { isUnreachable, locate, modelCache } from './load.js';
import type { VlmOptions } from './vlm.js';

/** Loads agents. */
export type LoadAgent = (
  options: Pick<VlmOptions, 'model' | 'device' | 'dtype'>,
  io: Io,
) => Promise<VlmAgent>;

/**
 * Loads an agent. Downloads are kept where those of models are.
 * @throws UsageError for a name that is neither an embedded model's nor a hub id nor a folder.
 * @throws AgentLoadError if there is no such model, or it cannot be an agent.
 * @throws HubUnreachableError if it must be downloaded, but cannot.
 */
export const loadAgent: LoadAgent = async ({ model: name, device, dtype }, io) => {
  const model = await locate(name, io.cwd);
  const { createAgent } = await import('@mmtok/agent');
  const status = createStatusLine(io.stderr);
  status.show(`Loading ${name} …`);
  try {
    return await createAgent({
      model,
      ...(device !== undefined && { device }),
      ...(dtype !== undefined && { dtype }),
      onProgress: downloadProgress(name, status),
      cacheDir: modelCache(io),
      // Which devices there are, the library knows best; precisions were checked where they were read.
    } as CreateAgentOptions);
  } catch (error) {
    throw isUnreachable(error) ? new HubUnreachableError(name, { cause: error }) : error;
  } finally {
    status.clear();
  }
};
