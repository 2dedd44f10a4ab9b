// Reactions to events: the first view, a new image or question, the slider at rest, the URL.

import { effect, signal, untracked } from '@preact/signals';
import { answerAt } from '../lib/precomputed.js';
import { stopsOf } from '../lib/scale.js';
import type { Device, ModelChoice, RankingMethod } from '../lib/types.js';
import { analyzeNow, answerNow, cancelCalls } from './answering.js';
import { startEngine } from './engine.js';
import { exampleOf, firstExample, SAMPLES, sampleKey, sampleUrl } from './examples.js';
import {
  analysis,
  analysisProblem,
  announcement,
  answers,
  clearResults,
  comparison,
  device,
  engine,
  example,
  image,
  kept,
  method,
  model,
  question,
  type ShownImage,
  setAnswer,
  view,
  visionTokens,
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
  show({ key, name: `Sample ${sampleKeys.indexOf(key) + 1}`, isSample: true, blob, bitmap });
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
  cancelCalls();
  clearResults();
  showPrecomputed();
  if (engine.value.phase === 'ready') void analyzeNow();
}

/** Fills the page from the precomputed example if it is about this image and question. */
function showPrecomputed(): void {
  const found = example.value;
  const isTiny = model.value.kind === 'embedded';
  if (
    !isTiny ||
    found === undefined ||
    found.image !== image.value?.key ||
    found.question !== question.value
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
  const isStop = stopsOf(visionTokens.value).includes(kept.value);
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

/** Chooses another model. */
export function chooseModel(next: ModelChoice): void {
  model.value = next;
  void restart();
}

/** Reloads the model, then recomputes everything. */
export async function restart(): Promise<void> {
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
  kept.value = state.kept ?? firstExample.comparison.tokens;
  method.value = state.method ?? 'mmtok';
  view.value = state.view ?? 'kept';
  device.value = state.device ?? (crossOriginIsolated ? 'wasm' : 'wasm-1');
  model.value = state.model ?? { kind: 'embedded' };
  const key = state.image ?? firstExample.image;
  example.value = firstExample;
  if (key === firstExample.image && (state.question ?? firstExample.question) === firstExample.question) {
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

/** Answers follow once the slider and the method have rested. */
function watchRest(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isFirst = true;
  effect(() => {
    void kept.value;
    void (method.value satisfies RankingMethod);
    if (isFirst) {
      isFirst = false;
      return;
    }
    untracked(() => {
      showPrecomputedAnswer();
      const { kept: pruned } = answers.value;
      if (pruned.origin === 'measured') setAnswer('kept', { ...pruned, isStale: true });
    });
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (analysisProblem.value === undefined) void answerNow();
    }, REST_MS);
  });
}

/** Keeps the URL in step with the state, without a history entry for each change. */
function watchAddress(): void {
  effect(() => {
    const hash = formatHash({
      image: image.value?.isSample ? image.value.key : undefined,
      question: question.value,
      kept: kept.value,
      method: method.value,
      view: view.value,
      device: device.value,
      model: model.value,
    });
    if (image.value !== undefined) history.replaceState(null, '', hash);
  });
  addEventListener('hashchange', () => location.reload());
}

/** All sample images. */
export const sampleKeys: readonly string[] = Array.from({ length: SAMPLES }, (_, scene) =>
  sampleKey(SAMPLES - 1 - scene),
);
