// What runs in the worker for the current image and question: the analysis, the two answers, the comparison, the
// measurement. A newer call cancels the one before.

import { problemOf, type WorkerClient } from '../lib/client.js';
import { duration } from '../lib/format.js';
import type { AskInput, MethodName, Phases } from '../lib/types.js';
import { readyClient } from './engine.js';
import {
  analysis,
  analysisProblem,
  announcement,
  answers,
  code,
  comparedTokens,
  comparison,
  encodedTokens,
  engine,
  image,
  keepsAll,
  kept,
  keptOrder,
  measurement,
  method,
  owners,
  question,
  setAnswer,
  tiles,
} from './store.js';

/** Repeats of a measurement, after one warm-up call. */
export const REPEATS = 5;

let analyzing = new AbortController();
let answering = new AbortController();
let comparing = new AbortController();
let measuring = new AbortController();

/** Cancels all calls about an image, a question, or a model that is about to be replaced. */
export function cancelCalls(): void {
  for (const controller of [analyzing, answering, comparing, measuring]) controller.abort();
}

/** The longest answer, in tokens: those of the embedded models are a few words. */
const maxNewTokens = (): number =>
  engine.value.phase === 'ready' && engine.value.facts.modelId.startsWith('@') ? 16 : 64;

function ask(keep: number | false, by: MethodName): AskInput | undefined {
  const shown = image.value;
  if (shown === undefined || question.value.trim() === '') return undefined;
  return {
    image: { key: shown.key, blob: shown.blob },
    question: question.value,
    keep,
    tiles: tiles.value,
    method: by,
    ...(by === 'custom' && { code: code.value }),
    maxNewTokens: maxNewTokens(),
  };
}

/** Ranks the image's tokens for the question, then answers; `again` also from all tokens. */
export async function analyzeNow({ again = true } = {}): Promise<void> {
  const client = readyClient();
  const input = ask(false, 'mmtok');
  if (client === undefined || input === undefined) return;
  analyzing.abort();
  analyzing = new AbortController();
  const { signal } = analyzing;
  try {
    const data = await client.call(
      'analyze',
      { image: input.image, question: input.question, tiles: input.tiles },
      { signal },
    );
    if (signal.aborted) return;
    analysis.value = { origin: 'measured', data };
    analysisProblem.value = undefined;
    kept.value = Math.min(kept.value, encodedTokens.value);
    await answerNow({ again });
  } catch (error) {
    if (!signal.aborted) analysisProblem.value = problemOf(error);
  }
}

/** Answers from the kept tokens, and from all of them unless that is already done. */
export async function answerNow({ again = false } = {}): Promise<void> {
  const client = readyClient();
  answering.abort();
  answering = new AbortController();
  const { signal } = answering;
  if (client === undefined || analysis.value?.origin !== 'measured') return;
  const tokens = keptOrder.value;
  void client
    .call('owners', { kept: tokens }, { signal })
    .then((data) => {
      owners.value = { kept: tokens, data };
    })
    .catch(() => undefined);
  const hasAll = answers.value.all.origin === 'measured' && !again;
  await stream(client, 'kept', keepsAll.value ? false : kept.value, signal);
  if (!hasAll && !signal.aborted) await stream(client, 'all', false, signal);
  if (signal.aborted) return;
  const { all, kept: pruned } = answers.value;
  announcement.value = `From all tokens: ${all.text}. From ${kept.value} tokens: ${pruned.text}.`;
}

async function stream(
  client: WorkerClient,
  which: 'all' | 'kept',
  keep: number | false,
  signal: AbortSignal,
): Promise<void> {
  const input = ask(keep, method.value);
  if (input === undefined) return;
  let text = '';
  setAnswer(which, { text, isRunning: true });
  try {
    const result = await client.call('answer', input, {
      signal,
      onPiece(piece) {
        text += piece;
        if (!signal.aborted) setAnswer(which, { text, isRunning: true });
      },
    });
    if (!signal.aborted)
      setAnswer(which, { text: result.text, isRunning: false, origin: 'measured', phases: result.phases });
  } catch (error) {
    const problem = problemOf(error);
    if (!signal.aborted) setAnswer(which, { text: '', isRunning: false, ...(problem && { problem }) });
  }
}

/** Asks with every method at the current budget; `only` asks again with some of them. */
export async function compareNow(methods: readonly MethodName[]): Promise<void> {
  const client = readyClient();
  if (client === undefined) return;
  comparing.abort();
  comparing = new AbortController();
  const { signal } = comparing;
  const tokens = comparedTokens.value;
  const known = comparison.value;
  const isSame = known?.origin === 'measured' && known.tokens === tokens;
  let state = isSame
    ? { ...known, running: undefined }
    : { tokens, origin: 'measured' as const, results: {}, problems: {}, running: undefined };
  for (const name of methods) {
    const input = ask(tokens, name);
    if (input === undefined) return;
    comparison.value = { ...state, running: name };
    const { [name]: _result, ...results } = state.results;
    const { [name]: _problem, ...problems } = state.problems;
    try {
      const result = await client.call('answer', input, { signal });
      state = { ...state, results: { ...results, [name]: result }, problems };
    } catch (error) {
      if (signal.aborted) return;
      const problem = problemOf(error);
      if (problem === undefined) return;
      state = { ...state, results, problems: { ...problems, [name]: problem } };
    }
    if (signal.aborted) return;
    comparison.value = state;
  }
  announcement.value = 'All methods have answered.';
}

/** Repeats the question, with all tokens and with the kept ones in turn, so that both see the same machine. */
export async function measureNow(): Promise<void> {
  const client = readyClient();
  if (client === undefined) return;
  measuring.abort();
  measuring = new AbortController();
  const { signal } = measuring;
  const tokens = comparedTokens.value;
  let all: readonly Phases[] = [];
  let pruned: readonly Phases[] = [];
  const show = (isRunning: boolean): void => {
    measurement.value = { repeats: REPEATS, kept: tokens, all, pruned, isRunning };
  };
  show(true);
  try {
    for (let repeat = 0; repeat <= REPEATS; repeat++) {
      const inputs = [ask(false, method.value), ask(tokens, method.value)];
      const [first, second] = await Promise.all(
        inputs.map((input) => input && client.call('answer', input, { signal }).then(({ phases }) => phases)),
      );
      // The first call of each kind warms up.
      if (repeat > 0 && first && second)
        [all, pruned] = [
          [...all, first],
          [...pruned, second],
        ];
      show(repeat < REPEATS);
    }
    announcement.value = `Measured ${REPEATS} times: prefill ${duration(median(all, 'prefillMs'))} with all tokens, ${duration(median(pruned, 'prefillMs'))} with ${tokens}.`;
  } catch {
    // The question cannot be asked, and the answers say why; or what was measured has been replaced.
    if (!signal.aborted) measurement.value = undefined;
  }
}

/** The middle value of a phase. */
export function median(runs: readonly Phases[], phase: keyof Phases): number {
  const sorted = runs.map((run) => run[phase]).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
