// Numbers as the page writes them.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A count, e.g. `1,152`. */
export const count = (value: number): string => whole.format(value);

/** A share, e.g. `9.9%`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)}%`;
}

/** Milliseconds, e.g. `38 ms` or `1.20 s`. */
export const duration = (ms: number): string =>
  ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;

/** Bytes, e.g. `7.8 MB`. */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** A plural, e.g. `1 token`, `2 tokens`. */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
