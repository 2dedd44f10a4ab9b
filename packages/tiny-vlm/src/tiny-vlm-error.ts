// The one error class of this package.
import { MmtokError } from '@mmtok/core';

/** What went wrong, for programs. */
export type TinyVlmErrorCode =
  | 'MMTOK_TRANSFORMERS_MISSING'
  | 'MMTOK_INVALID_OPTIONS'
  | 'MMTOK_QUESTIONS_MISSING'
  | 'MMTOK_PICTURES_NOT_WRITTEN'
  | 'MMTOK_NO_QUESTIONS'
  | 'MMTOK_INVALID_SCENE'
  | 'MMTOK_UNKNOWN_SHAPE';

/** The model or its questions cannot be used as asked; the message says what was expected and what to do. */
export class TinyVlmError extends MmtokError {
  declare readonly code: TinyVlmErrorCode;

  constructor(code: TinyVlmErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, message, options);
  }
}
