// Thrown when a model would have to be downloaded, but the hub does not answer.

import { MmtokError } from '@mmtok/core';

/** There is no network, or it does not let the hub through. */
export class HubUnreachableError extends MmtokError {
  constructor(model: string, options?: { readonly cause?: unknown }) {
    super(
      'MMTOK_HUB_UNREACHABLE',
      `The model '${model}' is not on this machine, and https://huggingface.co cannot be reached to download it. ` +
        'Check the network (HTTPS_PROXY is not read by Node 20), or give a folder that holds the model.',
      { kind: 'environment', ...options },
    );
  }
}
