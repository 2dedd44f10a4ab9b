// The typed errors of the command line.

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

/** A file named on the command line is missing, unreadable or of the wrong kind. */
export class InputFileError extends MmtokError {
  readonly path: string;

  constructor(path: string, problem: string, options?: { readonly cause?: unknown }) {
    super('MMTOK_INPUT_FILE', `Cannot use '${path}': ${problem}.`, { kind: 'data', ...options });
    this.path = path;
  }
}

/** A safetensors file is malformed or cut short, or a tensor in it is missing or of a type that cannot be read. */
export class SafetensorsError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_SAFETENSORS', `Invalid safetensors: ${problem}.`, { kind: 'data' });
  }
}

/** An argument or option has a value that means nothing. */
export class UsageError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_USAGE', problem);
  }
}
