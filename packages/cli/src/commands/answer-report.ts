// Answers as text: token counts, phases, coverage. Shared by `ask` and `demo`.

import type { BothAnswers } from '../models/both-answers.js';
import type { AgentWords, Answer, ImageTokens, Timings } from '../models/vlm.js';
import { formatMs, formatShare } from '../terminal/text.js';

/** Phases in order. */
const PHASES: readonly (readonly [keyof Timings, string])[] = [
  ['prepareMs', 'prepare'],
  ['encodeMs', 'encode'],
  ['selectMs', 'select'],
  ['prefillMs', 'prefill'],
  ['firstTokenMs', 'first token'],
  ['decodeMs', 'decode'],
  ['totalMs', 'total'],
];

/** `prepare 11 ms, encode 34 ms, …`; the time to first token starts from pixels. */
export function phasesInWords(timings: Timings): string {
  return PHASES.map(([key, name]) => `${name} ${formatMs(timings[key])} ms`).join(', ');
}

/** Rows of a table that compares two answers. */
export function comparisonRows({ pruned, whole }: BothAnswers): string[][] {
  return [
    ['vision tokens', String(whole.keptTokens), String(pruned.keptTokens), ''],
    ...PHASES.map(([key, name]) => [
      `${name} ms`,
      formatMs(whole.timings[key]),
      formatMs(pruned.timings[key]),
      COMPARED.has(key) ? `${(whole.timings[key] / pruned.timings[key]).toFixed(2)} ×` : '',
    ]),
  ];
}

/** Phases shown with their speedup. */
const COMPARED: ReadonlySet<keyof Timings> = new Set(['prefillMs', 'firstTokenMs', 'totalMs']);

/** `First token, from pixels: 1.07 × as fast. With all tokens, the encoder takes 94 % of that time.` */
export function gainInWords(
  pruned: Pick<Timings, 'firstTokenMs'>,
  whole: Pick<Timings, 'firstTokenMs' | 'encodeMs'>,
): string {
  const gain = (whole.firstTokenMs / pruned.firstTokenMs).toFixed(2);
  return (
    `First token, from pixels: ${gain} × as fast. ` +
    `With all tokens, the encoder takes ${formatShare(whole.encodeMs / whole.firstTokenMs)} of that time.`
  );
}

/** `57 of 576 (9.9 %)` */
export function keptInWords({ visionTokens, keptTokens }: Answer): string {
  const share = visionTokens === 0 ? '' : ` (${formatShare(keptTokens / visionTokens)})`;
  return `${keptTokens} of ${visionTokens}${share}`;
}

/** `text 96.1 %, vision 88.0 %`: the lowest of all images; empty if nothing was selected. */
export function coverageInWords(images: readonly ImageTokens[]): string {
  const lowest = new Map<string, number>();
  for (const { coverage } of images) {
    for (const [term, share] of Object.entries(coverage)) {
      lowest.set(term, Math.min(share, lowest.get(term) ?? 1));
    }
  }
  return [...lowest].map(([term, share]) => `${term} ${formatShare(share)}`).join(', ');
}

/** `"A yellow umbrella." (adds yellow, umbrella), 820 ms` */
export function agentInWords({ answers, added, ms }: AgentWords): string {
  const reply =
    answers.length === 0 ? 'no answer' : answers.map((answer) => JSON.stringify(answer)).join(', ');
  return `${reply} (adds ${added.length === 0 ? 'nothing' : added.join(', ')}), ${formatMs(ms)} ms`;
}
