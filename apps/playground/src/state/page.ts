// Reactions to events: the first view, a new image or question, the slider at rest, the URL.

import { effect, signal, untracked } from '@preact/signals';
import { answerAt } from '../lib/precomputed.js';
import { stopsOf } from '../lib/scale.js';
import { DEFAULT_TILES, isSameChoice, type TileChoice } from '../lib/tiles.js';
import type { Device, ModelChoice } from '../lib/types.js';
import { analyzeNow, answerNow, cancelCalls } from './answering.js';
import { startEngine } from './engine.js';
import { exampleOf, firstExample, sampleKeys, sampleUrl, sizeOf, tokensOf } from './examples.js';
import {
  analysis,
  analysisProblem,
  announcement,
  answers,
  clearResults,
  comparison,
  device,
  encodedTokens,
  engine,
  example,
  image,
  isTiled,
  kept,
  measurement,
  method,
  model,
  owners,
  question,
  type ShownImage,
  samplesFor,
  setAnswer,
  tiles,
  view,
} from './store.js';
import { formatHash, parseHash } from './url.js';

const REST_MS = 300;

/** A problem with an image that was given. */
export const imageProblem = signal<string | undefined>(undefined);

/** Shows an image of the user's own. */
export async function showOwnImage(blob: Blob, name: string): Promise<void> {
  imageProblem.value = undefined;
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch {
    imageProblem.value = `${name} is not a readable image. Choose a PNG, JPEG, or WebP file.`;
    return;
  }
  show({ key: `own ${name} ${blob.size} ${Date.now()}`, name, isSample: false, blob, bitmap });
}

/** Shows a sample image, with its example's question unless one is given. */
export async function showSample(key: string, asked?: string): Promise<void> {
  imageProblem.value = undefined;
  const [found, blob] = await Promise.all([
    exampleOf(key),
    fetch(sampleUrl(key)).then(async (response) => await response.blob()),
  ]);
  const bitmap = await createImageBitmap(blob);
  example.value = found;
  question.value = asked ?? found?.question ?? '';
  show({ key, name: `Sample ${sampleKeys(sizeOf(key)).indexOf(key) + 1}`, isSample: true, blob, bitmap });
}

function show(next: ShownImage): void {
  image.value = next;
  begin();
}

/** Asks another question about the same image. */
export function askQuestion(text: string): void {
  question.value = text;
  begin();
}

/** Shows precomputed results at once, and everything else once the model has loaded. */
function begin(): void {
  stopWaiting();
  cancelCalls();
  clearResults();
  showPrecomputed();
  if (engine.value.phase === 'ready') void analyzeNow();
}

/** Fills the page from the precomputed example if it is about this image and question. */
function showPrecomputed(): void {
  const found = example.value;
  if (
    model.value.kind !== 'embedded' ||
    found === undefined ||
    found.image !== image.value?.key ||
    sizeOf(found.image) !== model.value.size ||
    found.question !== question.value ||
    (found.tiles !== undefined && !isSameChoice(found.tiles, tiles.value))
  ) {
    analysis.value = undefined;
    return;
  }
  analysis.value = { origin: 'precomputed', data: found.analysis };
  comparison.value = { ...found.comparison, origin: 'precomputed', problems: {} };
  showPrecomputedAnswer();
}

function showPrecomputedAnswer(): void {
  const found = example.value;
  if (found === undefined || analysis.value?.origin !== 'precomputed') return;
  const done = (text: string) => ({ text, isRunning: false, origin: 'precomputed' as const });
  const isStop = stopsOf(encodedTokens.value).includes(kept.value);
  const text = isStop ? answerAt(found.kept[method.value], kept.value) : undefined;
  answers.value = {
    all: done(found.all),
    kept: text === undefined ? { text: '', isRunning: false } : done(text),
  };
}

/** Chooses where the model runs. */
export function chooseDevice(next: Device): void {
  if (next === device.value) return;
  device.value = next;
  void restart();
}

/** The tiles that a model encodes at first. */
const firstTiles = (next: ModelChoice): TileChoice =>
  next.kind === 'embedded' && next.size === 'tiled' ? DEFAULT_TILES : 'all';

/** Chooses another model, and shows its first sample image if it comes with other samples. */
export async function chooseModel(next: ModelChoice): Promise<void> {
  const hasOtherSamples = next.kind === 'embedded' && next.size !== samplesFor.value;
  cancelCalls();
  clearResults();
  // The model before must not answer in the meantime.
  engine.value = { phase: 'idle' };
  model.value = next;
  tiles.value = firstTiles(next);
  if (hasOtherSamples) {
    kept.value = tokensOf(next.size).kept;
    await showSample(sampleKeys(next.size)[0] as string);
  }
  if (model.value === next) await restart();
}

/** Reloads the model, then recomputes everything. */
export async function restart(): Promise<void> {
  stopWaiting();
  cancelCalls();
  clearResults();
  showPrecomputed();
  await startEngine();
  if (engine.value.phase === 'ready') {
    announcement.value = 'The model is loaded.';
    await analyzeNow();
  }
}

/** Opens the page in the state given by its URL. */
export async function openPage(): Promise<void> {
  const state = parseHash(location.hash);
  model.value = state.model ?? { kind: 'embedded', size: 'base' };
  const size = model.value.kind === 'embedded' ? model.value.size : sizeOf(state.image ?? '');
  const key =
    state.image !== undefined && sizeOf(state.image) === size ? state.image : (sampleKeys(size)[0] as string);
  kept.value = state.kept ?? tokensOf(size).kept;
  tiles.value = state.tiles ?? firstTiles(model.value);
  method.value = state.method ?? 'mmtok';
  view.value = state.view ?? 'kept';
  device.value = state.device ?? (crossOriginIsolated ? 'wasm' : 'wasm-1');
  if (key === firstExample.image && (state.question ?? firstExample.question) === firstExample.question) {
    example.value = firstExample;
    question.value = firstExample.question;
    if (model.value.kind === 'embedded') {
      analysis.value = { origin: 'precomputed', data: firstExample.analysis };
      comparison.value = { ...firstExample.comparison, origin: 'precomputed', problems: {} };
      showPrecomputedAnswer();
    }
  }
  watchRest();
  watchAddress();
  await showSample(key, state.question);
  await restart();
}

let rest: ReturnType<typeof setTimeout> | undefined;
let hasOtherTiles = false;

/** Drops the call that would follow a change, because everything is computed anyway. */
function stopWaiting(): void {
  clearTimeout(rest);
  hasOtherTiles = false;
}

/** Answers follow once the slider, the method, and the choice of tiles have rested. */
function watchRest(): void {
  let before: TileChoice | undefined;
  effect(() => {
    void kept.value;
    void method.value;
    const chosen = tiles.value;
    const isFirst = before === undefined;
    hasOtherTiles ||= !isFirst && !isSameChoice(chosen, before);
    before = chosen;
    if (isFirst) return;
    untracked(() => {
      if (hasOtherTiles) forgetTiles();
      else showPrecomputedAnswer();
      const { kept: pruned } = answers.value;
      if (pruned.origin === 'measured') setAnswer('kept', { ...pruned, isStale: true });
    });
    clearTimeout(rest);
    rest = setTimeout(() => {
      if (hasOtherTiles) void analyzeNow({ again: false });
      else if (analysisProblem.value === undefined) void answerNow();
      hasOtherTiles = false;
    }, REST_MS);
  });
}

/** Forgets what was computed from other tiles. What was measured stays in view until it is measured again. */
function forgetTiles(): void {
  if (analysis.value?.origin === 'measured') {
    comparison.value = undefined;
    measurement.value = undefined;
    owners.value = undefined;
  } else {
    clearResults();
    showPrecomputed();
  }
}

/** Keeps the URL in step with the state, without a history entry for each change. */
function watchAddress(): void {
  effect(() => {
    const hash = formatHash({
      image: image.value?.isSample ? image.value.key : undefined,
      question: question.value,
      kept: kept.value,
      tiles: isTiled.value ? tiles.value : undefined,
      method: method.value,
      view: view.value,
      device: device.value,
      model: model.value,
    });
    if (image.value !== undefined) history.replaceState(null, '', hash);
  });
  addEventListener('hashchange', () => location.reload());
}
