// Numbers as reports show them.

import type { Interval } from '../statistics/paired-bootstrap.js';

/** `93.8` of 0.9379. */
export const percent = (share: number): string => (share * 100).toFixed(1);

/** `93.8 (91.0–96.2)` */
export function withInterval(interval: Interval | undefined): string {
  if (interval === undefined) return '–';
  return `${percent(interval.value)} (${percent(interval.low)}–${percent(interval.high)})`;
}

/** Milliseconds without needless digits. */
export const milliseconds = (ms: number): string =>
  ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0);

/** `64` or `38.4` tokens. */
export const tokenCount = (tokens: number): string =>
  Number.isInteger(tokens) ? String(tokens) : tokens.toFixed(1);
