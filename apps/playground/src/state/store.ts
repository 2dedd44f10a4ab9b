// The page's state as signals, and what is derived from it.

import { computed, signal } from '@preact/signals';
import { layoutOf } from '../lib/layout.js';
import { canChooseTiles, type TileChoice } from '../lib/tiles.js';
import type {
  Analysis,
  AnswerResult,
  Device,
  EmbeddedSize,
  EngineFacts,
  MethodName,
  ModelChoice,
  Owners,
  Phases,
  PrecomputedExample,
  Problem,
  RankingMethod,
} from '../lib/types.js';
import { sizeOf, tokensOf } from './examples.js';

/** Where a number comes from: this machine, just now, or a committed file. */
export type Origin = 'measured' | 'precomputed';

/** An image on the page. */
export interface ShownImage {
  /** `'0.png'`, `'signs/0.png'` … for samples; anything else for the user's own. */
  readonly key: string;
  readonly name: string;
  readonly isSample: boolean;
  readonly blob: Blob;
  readonly bitmap: ImageBitmap;
}

/** The model's worker. */
export type EngineState =
  | { readonly phase: 'idle' }
  | { readonly phase: 'loading'; readonly loaded: number; readonly total: number }
  | { readonly phase: 'ready'; readonly facts: EngineFacts }
  | { readonly phase: 'failed'; readonly problem: Problem };

/** One of the two answers. */
export interface AnswerState {
  readonly text: string;
  readonly isRunning: boolean;
  /** Present once the answer is complete. */
  readonly origin?: Origin;
  /** Whether the slider or the method has changed since; a new answer follows once they rest. */
  readonly isStale?: boolean;
  readonly phases?: Phases;
  readonly problem?: Problem;
}

/** The comparison of methods at one budget. */
export interface ComparisonState {
  readonly tokens: number;
  readonly origin: Origin;
  readonly results: Readonly<Partial<Record<MethodName, AnswerResult>>>;
  readonly problems: Readonly<Partial<Record<MethodName, Problem>>>;
  readonly running?: MethodName | undefined;
}

/** Repeated calls, all tokens and kept ones in turn. */
export interface Measurement {
  readonly repeats: number;
  readonly kept: number;
  readonly all: readonly Phases[];
  readonly pruned: readonly Phases[];
  readonly isRunning: boolean;
}

const noAnswer: AnswerState = { text: '', isRunning: false };

export const image = signal<ShownImage | undefined>(undefined);
export const question = signal('');
export const kept = signal(57);
/** Which tiles to encode. Models without tiles ignore it. */
export const tiles = signal<TileChoice>('all');
export const method = signal<RankingMethod>('mmtok');
export const view = signal<'kept' | 'order'>('kept');
export const model = signal<ModelChoice>({ kind: 'embedded', size: 'base' });
export const device = signal<Device>('wasm-1');
export const engine = signal<EngineState>({ phase: 'idle' });
export const example = signal<PrecomputedExample | undefined>(undefined);
export const analysis = signal<{ readonly origin: Origin; readonly data: Analysis } | undefined>(undefined);
export const analysisProblem = signal<Problem | undefined>(undefined);
export const owners = signal<{ readonly kept: readonly number[]; readonly data: Owners } | undefined>(
  undefined,
);
export const answers = signal<{ readonly all: AnswerState; readonly kept: AnswerState }>({
  all: noAnswer,
  kept: noAnswer,
});
export const comparison = signal<ComparisonState | undefined>(undefined);
export const measurement = signal<Measurement | undefined>(undefined);
/** The patch in focus: hovered over, tapped, or reached with the arrow keys. */
export const patch = signal<number | undefined>(undefined);
/** The word in focus. */
export const word = signal<number | undefined>(undefined);
/** Source of the user's own `select`. */
export const code = signal('');
/** Announced by screen readers. */
export const announcement = signal('');

/** How many vision tokens the image has. */
export const visionTokens = computed(
  () => analysis.value?.data.visionTokens ?? tokensOf(samplesFor.value).visionTokens,
);

/** How many of them were encoded. */
export const encodedTokens = computed(() => ranking.value?.order.length ?? visionTokens.value);

/** How many tokens a comparison with all of them keeps: at least one fewer than were encoded. */
export const comparedTokens = computed(() => Math.min(kept.value, encodedTokens.value - 1));

/** The embedded model whose sample images the page offers. */
export const samplesFor = computed<EmbeddedSize>(() =>
  model.value.kind === 'embedded' ? model.value.size : sizeOf(image.value?.key ?? ''),
);

/** Whether the model encodes tiles that can be chosen. */
export const isTiled = computed(() =>
  model.value.kind === 'embedded'
    ? model.value.size === 'tiled'
    : canChooseTiles(analysis.value?.data.tiles ?? []),
);

/** The ranking of the chosen method. */
export const ranking = computed(() => analysis.value?.data.rankings[method.value]);

/** Kept tokens in the order of the picks: a prefix of the ranking, so that nothing is selected anew. */
export const keptOrder = computed<readonly number[]>(() => ranking.value?.order.slice(0, kept.value) ?? []);

/** The rank of each token, from 0. */
export const ranks = computed<readonly number[]>(() => {
  const order = ranking.value?.order ?? [];
  const result = new Array<number>(order.length);
  for (const [rank, token] of order.entries()) result[token] = rank;
  return result;
});

/** Where the tokens lie on the image; undefined where the model does not tell. */
export const layout = computed(() => layoutOf(analysis.value?.data.tiles ?? []));

/** Whether all tokens are kept. */
export const keepsAll = computed(() => kept.value >= visionTokens.value);

/** Forgets what belongs to another image or question. */
export function clearResults(): void {
  analysisProblem.value = undefined;
  owners.value = undefined;
  answers.value = { all: noAnswer, kept: noAnswer };
  comparison.value = undefined;
  measurement.value = undefined;
  patch.value = undefined;
  word.value = undefined;
}

/** Replaces one of the two answers. */
export function setAnswer(which: 'all' | 'kept', state: AnswerState): void {
  answers.value = { ...answers.value, [which]: state };
}
