// Thrown for bytes that are not a sound safetensors file.

import { MmtokError } from '@mmtok/core';

/** A safetensors file is malformed or cut short, or a tensor in it is missing or of a type that cannot be read. */
export class SafetensorsError extends MmtokError {
  constructor(problem: string) {
    super('MMTOK_SAFETENSORS', `Invalid safetensors: ${problem}.`, { kind: 'data' });
  }
}
