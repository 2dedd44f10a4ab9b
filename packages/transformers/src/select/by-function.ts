// Lets a caller's function select vision tokens, and validates the result.

import { type Float32Tensor, InvalidSelectionError } from '@mmtok/core';
import { readable } from '../internal/values.js';
import type { PoolTile } from './pools.js';

/**
 * The input of a {@link Select} function: the vision tokens of one image, tile, or prompt that share a budget. The tensors are
 * copies, so the function may change them, or transfer them to a worker.
 */
export interface SelectFeatures {
  /** `[n, D]`: the vision tokens as the language model receives them. */
  readonly vision: Float32Tensor;
  /** `[n, d]`: features from before the projector, if the encoder outputs them. Standardized if the option says so. */
  readonly visionFeatures?: Float32Tensor;
  /** n importance values, if the encoder has an output `vision_saliency`. */
  readonly saliency?: Float32Array;
  /** `[m, D]`: the embedded text tokens of the question. Absent if there is no text. */
  readonly text?: Float32Tensor;
  /** m weights of the text tokens, if the weights differ. */
  readonly textWeights?: Float32Array;
  /** The tiles that the tokens belong to, in order. */
  readonly tiles: readonly PoolTile[];
  /** `[rows, columns]`, if all tokens form one grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** The request to a {@link Select} function. */
export interface SelectRequest {
  /** How many tokens to keep: fewer than the total. */
  readonly tokens: number;
  /** Tokens that must not be kept. */
  readonly excluded: readonly number[];
  /** The text of the question, before filtering. */
  readonly question: string;
  readonly batchIndex: number;
}

/**
 * Selects vision tokens: returns exactly `request.tokens` distinct indices that are not in `request.excluded`, the most useful
 * first. May be async.
 * @example
 * prune(model, { processor, budget: { ratio: 0.1 }, select: (_, { tokens }) => Array.from({ length: tokens }, (_, i) => i) });
 */
export type Select = (
  features: SelectFeatures,
  request: SelectRequest,
) => ArrayLike<number> | Promise<ArrayLike<number>>;

/** @throws InvalidSelectionError unless `chosen` contains `tokens` distinct, allowed indices below `count`. */
export function checkChosen(
  chosen: unknown,
  tokens: number,
  count: number,
  barred: ReadonlySet<number>,
): readonly number[] {
  const indices = readable((): readonly unknown[] | undefined => {
    const isList = Array.isArray(chosen) || (ArrayBuffer.isView(chosen) && !(chosen instanceof DataView));
    return isList ? Array.from(chosen as ArrayLike<unknown>) : undefined;
  }, invalid);
  if (indices === undefined) throw invalid(`expected a list of ${tokens} indices, got ${describe(chosen)}`);
  if (indices.length !== tokens) {
    throw invalid(`expected ${tokens} indices, got ${indices.length}`);
  }
  const seen = new Set<number>();
  for (const index of indices) {
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= count) {
      throw invalid(`expected whole numbers from 0 to ${count - 1}, got ${describe(index)}`);
    }
    if (seen.has(index)) throw invalid(`index ${index} appears twice`);
    if (barred.has(index)) throw invalid(`index ${index} is excluded`);
    seen.add(index);
  }
  return indices as number[];
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

function invalid(problem: string): InvalidSelectionError {
  return new InvalidSelectionError('select', problem, {
    hint: 'Return exactly request.tokens different indices of vision tokens that are not in request.excluded.',
  });
}
