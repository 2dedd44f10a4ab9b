// The error class of this package.
import { type ErrorKind, MmtokError } from '@mmtok/core';

/** The codes of errors. */
export type TinyVlmErrorCode =
  | 'MMTOK_TRANSFORMERS_MISSING'
  | 'MMTOK_INVALID_OPTIONS'
  | 'MMTOK_QUESTIONS_MISSING'
  | 'MMTOK_IMAGES_NOT_WRITTEN'
  | 'MMTOK_NO_QUESTIONS'
  | 'MMTOK_INVALID_SCENE'
  | 'MMTOK_UNKNOWN_SHAPE';

const kinds: Readonly<Record<TinyVlmErrorCode, ErrorKind>> = {
  MMTOK_TRANSFORMERS_MISSING: 'environment',
  MMTOK_INVALID_OPTIONS: 'usage',
  MMTOK_QUESTIONS_MISSING: 'environment',
  MMTOK_IMAGES_NOT_WRITTEN: 'environment',
  MMTOK_NO_QUESTIONS: 'usage',
  MMTOK_INVALID_SCENE: 'data',
  MMTOK_UNKNOWN_SHAPE: 'data',
};

/** The model or its questions cannot be used as requested; the message says what was expected and what to do. */
export class TinyVlmError extends MmtokError {
  declare readonly code: TinyVlmErrorCode;

  constructor(
    code: TinyVlmErrorCode,
    problem: string,
    details: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(code, problem, { kind: kinds[code], ...details });
  }
}
