// Answers a question from the tokens that a method keeps, or from all.

import type { CallOptions, PruneReport, Select, Vlm } from '@mmtok/transformers';
import { type AnswerResult, type AskInput, FOCUS } from '../lib/types.js';
import { divprune, random, uniform } from './methods.js';

/** The options of a call that select a method. */
function optionsOf(
  { method, keep, tiles = 'all' }: Pick<AskInput, 'method' | 'keep' | 'tiles'>,
  custom: Select | undefined,
): CallOptions | false {
  if (keep === false) return false;
  const budget = { tokens: keep };
  const own: Readonly<Record<AskInput['method'], CallOptions>> = {
    mmtok: {},
    focus: { focus: FOCUS },
    divprune: { select: divprune },
    random: { select: random },
    uniform: { select: uniform },
    custom: custom ? { select: custom } : {},
  };
  return { budget, minVisionTokens: 2, ...(tiles !== 'all' && { tiles }), ...own[method] };
}

/** Asks, and passes on the answer piece by piece. */
export async function answer(
  vlm: Vlm,
  image: Parameters<Vlm['ask']>[0]['image'],
  input: Omit<AskInput, 'image' | 'code'>,
  {
    onPiece,
    custom,
    signal,
  }: { onPiece?: (text: string) => void; custom?: Select | undefined; signal?: AbortSignal } = {},
): Promise<AnswerResult> {
  const stream = vlm.stream({
    ...(image !== undefined && { image }),
    question: input.question,
    maxNewTokens: input.maxNewTokens,
    mmtok: optionsOf(input, custom),
    ...(signal && { signal }),
  });
  for await (const piece of stream) onPiece?.(piece);
  const { text, report, usage } = await stream.answer;
  return {
    text,
    keptTokens: usage.keptTokens,
    visionTokens: usage.visionTokens,
    indices: report.images[0]?.indices ?? [],
    phases: phasesOf(report),
  };
}

function phasesOf({
  timings: { encodeMs, selectMs, prefillMs, decodeMs },
}: PruneReport): AnswerResult['phases'] {
  return { encodeMs, selectMs, prefillMs, decodeMs };
}
