// The result of a speed measurement as plain data, and how it is computed from the times of single passes.

import { median } from '../stats/statistics.js';
import { encoderScale, isConvolutional, type ModelDims } from './dims.js';
import type { Case, CaseRun } from './passes.js';
import type { SpeedDtype } from './sketch.js';

/** Times for the start of an answer, in milliseconds, at the model's full depth. */
export interface SpeedTimes {
  /** The vision encoder with its projector, for the tiles of the row; 0 for dimensions without an encoder. */
  readonly encodeMs: number;
  /** Choosing the tokens and gathering their embeddings; 0 with all tokens. */
  readonly selectMs: number;
  /** The language model over the prompt. */
  readonly prefillMs: number;
  /** From pixels: encoder, selection, and prefill together. */
  readonly firstTokenMs: number;
  /** Each further token. */
  readonly decodeMs: number;
}

/** All tokens, or one budget. */
export interface SpeedRow extends SpeedTimes {
  /** As given; `'all'` without pruning. */
  readonly budget: string;
  /** How many tiles were encoded; absent for dimensions without an encoder. */
  readonly tiles?: number | undefined;
  /** Vision tokens that the language model reads. */
  readonly visionTokens: number;
  /** Tokens in the cache after the prompt, as the decoder reports them: vision and text. */
  readonly promptTokens: number;
  /** Size of the prompt's keys and values, at the model's full depth. */
  readonly cacheBytes: number;
  /**
   * Peak memory of selection, prompt, and one further token on top of the loaded model, for the layers that were built;
   * absent if the system does not report it.
   */
  readonly peakBytes?: number;
  /** The same for encoding the row's tiles. */
  readonly encodePeakBytes?: number;
  /** Times with all tokens divided by these. */
  readonly speedup: Pick<SpeedTimes, 'prefillMs' | 'firstTokenMs' | 'decodeMs'>;
}

/** A measurement. */
export interface SpeedResult {
  readonly dims: ModelDims;
  /** Layers that were built and run; times of fewer than `dims.layers` are scaled up to that number. */
  readonly builtLayers: number;
  readonly isScaled: boolean;
  /** The same for the encoder; absent without one, and for a convolutional tower, which is built whole. */
  readonly builtEncoderLayers?: number | undefined;
  readonly dtype: SpeedDtype;
  /** The device of the decoder, and the one on which tokens were selected. */
  readonly device: string;
  readonly backend: string;
  /** Weights of the full language model without its embedding table, and bytes of all built weights, encoder included. */
  readonly parameters: number;
  readonly weightBytes: number;
  readonly textTokens: number;
  readonly rounds: number;
  readonly decodeTokens: number;
  readonly machine: string;
  /** Start time, in ISO 8601. */
  readonly started: string;
  /** All tokens first, then the budgets, largest first. */
  readonly rows: readonly SpeedRow[];
  /** Caveats for readers of the numbers, as text. */
  readonly notes: readonly string[];
}

// From single passes to rows and notes.

/** One run of a case, with its time from pixels. */
export type TimedRun = CaseRun & SpeedTimes;

/** Adds the encoder's time to a run. */
export function timed(one: CaseRun, encodeMs: number): TimedRun {
  return { ...one, encodeMs, firstTokenMs: encodeMs + one.selectMs + one.prefillMs };
}

/** Medians over the rounds, and the speedup over all tokens, which is the first case. */
export function rowsOf(
  runs: ReadonlyMap<Case, readonly TimedRun[]>,
  peaks: ReadonlyMap<Case, number | undefined>,
  encoderPeaks: ReadonlyMap<number, number | undefined> | undefined,
): SpeedRow[] {
  const rows = [...runs].map(([one, all]) => {
    const middle = (key: keyof TimedRun): number => median(all.map((each) => each[key]));
    const peakBytes = peaks.get(one);
    const encodePeakBytes = encoderPeaks?.get(one.tiles as number);
    return {
      budget: one.budget,
      tiles: one.tiles,
      visionTokens: middle('visionTokens'),
      promptTokens: middle('promptTokens'),
      encodeMs: middle('encodeMs'),
      selectMs: middle('selectMs'),
      prefillMs: middle('prefillMs'),
      firstTokenMs: middle('firstTokenMs'),
      decodeMs: middle('decodeMs'),
      cacheBytes: middle('cacheBytes'),
      ...(peakBytes !== undefined && { peakBytes }),
      ...(encodePeakBytes !== undefined && { encodePeakBytes }),
    };
  });
  const [whole] = rows as [Omit<SpeedRow, 'speedup'>];
  return rows.map((row): SpeedRow => {
    const over = (key: keyof SpeedRow['speedup']): number => whole[key] / row[key];
    return {
      ...row,
      speedup: {
        prefillMs: over('prefillMs'),
        firstTokenMs: over('firstTokenMs'),
        decodeMs: over('decodeMs'),
      },
    };
  });
}

/** What a reader should know about the numbers. */
export function notesOf(
  dims: ModelDims,
  layers: number,
  encoderLayers: number | undefined,
  { encodeMs, firstTokenMs }: SpeedRow,
): string[] {
  const { encoder } = dims;
  const times = (built: number, all: number): string => (all / built).toPrecision(3);
  const notes: string[] = [];
  if (layers < dims.layers) {
    notes.push(
      `${layers} of ${dims.layers} layers were built and run: times of the layers and the cache are multiplied by ` +
        `${times(layers, dims.layers)}; those of the head and the selection, and peak memory, are as measured`,
    );
  }
  if (encoder === undefined) {
    notes.push(
      'these dimensions have no vision encoder, which takes the same time in every row: counted from pixels, speedups are smaller',
    );
  } else {
    if (!isConvolutional(encoder) && encoderLayers !== undefined && encoderLayers < encoder.layers) {
      notes.push(
        `${encoderLayers} of ${encoder.layers} layers of the encoder were built and run: its time is multiplied by ` +
          `${encoderScale(encoder, dims.hidden, encoderLayers).toPrecision(3)}, the ratio of multiplications`,
      );
    }
    notes.push(
      `with all tokens, the encoder takes ${((100 * encodeMs) / firstTokenMs).toFixed(0)} % of the time to first token, so pruning ` +
        `after it speeds the first token up by at most ${(firstTokenMs / encodeMs).toFixed(2)}×`,
    );
  }
  notes.push('weights and features are random: times depend on their shapes alone');
  return notes;
}
