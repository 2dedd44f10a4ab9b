// Time and memory of whole calls, from an image's pixels to the last token of a fixed-length answer.

import type { VerifyImage } from './images.js';
import type { SpeedLimit, VerifyMemory, VerifyTiming } from './report.js';
import type { Subject } from './subject.js';

/** What to measure. */
export interface MeasurePlan {
  readonly example: VerifyImage;
  /** Shares of vision tokens; 1 is the unmodified prompt, 0 a single token. */
  readonly shares: readonly number[];
  /** Number of timed calls, after one warm-up call. */
  readonly repeats: number;
  /** Length of the answers, in tokens. */
  readonly newTokens: number;
  /** Called before every row. */
  readonly next: (share: number) => void;
}

/** The times of one call, in milliseconds. */
type Call = Omit<VerifyTiming, 'keep' | 'speedup' | 'peakBytes'>;

/**
 * Measures calls that keep more and more tokens. The order matters because runtimes do not release memory: only what a row
 * needs beyond the previous row is visible.
 */
export async function measure(subject: Subject, plan: MeasurePlan): Promise<VerifyTiming[]> {
  const rows: Omit<VerifyTiming, 'speedup'>[] = [];
  for (const share of plan.shares.toSorted((a, b) => a - b)) {
    plan.next(share);
    const watch = watchMemory();
    const calls: Call[] = [];
    for (let at = 0; at <= plan.repeats; at++) {
      const call = await timedCall(subject, plan, share);
      watch?.look();
      if (at > 0) calls.push(call);
    }
    const peakBytes = watch?.end();
    rows.push({ keep: share, ...medianCall(calls), ...(peakBytes !== undefined && { peakBytes }) });
  }
  const all = rows.find((row) => row.keep === 1) ?? rows.at(-1);
  return rows.map((row) => ({ ...row, speedup: (all?.totalMs ?? 0) / row.totalMs }));
}

async function timedCall(
  subject: Subject,
  { example, newTokens }: MeasurePlan,
  share: number,
): Promise<Call> {
  const started = performance.now();
  const inputs = await subject.inputs(example.image, example.question);
  const processed = performance.now();
  const options = share >= 1 ? false : { budget: share === 0 ? { tokens: 1 } : { ratio: share, min: 1 } };
  const lengths = { min_new_tokens: newTokens, max_new_tokens: newTokens };
  const { report } = await subject.call({ ...inputs, ...lengths }, options);
  const ended = performance.now();
  const { encodeMs, selectMs, prefillMs, decodeMs } = report.timings;
  return {
    keptTokens: report.keptTokens,
    promptTokens: report.prompts[0]?.keptPromptTokens ?? 0,
    processMs: processed - started,
    encodeMs,
    selectMs,
    prefillMs,
    decodeMs,
    totalMs: ended - started,
  };
}

function medianCall(calls: readonly Call[]): Call {
  const median = (name: keyof Call): number => {
    const values = calls.map((call) => call[name]).sort((a, b) => a - b);
    const middle = Math.floor(values.length / 2);
    const upper = values[middle] ?? 0;
    return values.length % 2 === 1 ? upper : (upper + (values[middle - 1] ?? 0)) / 2;
  };
  return {
    keptTokens: median('keptTokens'),
    promptTokens: median('promptTokens'),
    processMs: median('processMs'),
    encodeMs: median('encodeMs'),
    selectMs: median('selectMs'),
    prefillMs: median('prefillMs'),
    decodeMs: median('decodeMs'),
    totalMs: median('totalMs'),
  };
}

/** How much pruning can save; `undefined` without rows for all tokens and for one token. */
export function speedLimit(timings: readonly VerifyTiming[]): SpeedLimit | undefined {
  const all = timings.find((row) => row.keep === 1);
  const hasOne = timings.some((row) => row.keep === 0);
  if (all === undefined || !hasOne) return undefined;
  const fixed = all.processMs + all.encodeMs;
  // On a busy machine, a row with more tokens may have been faster.
  const measured = Math.max(...timings.filter((row) => row !== all).map(({ speedup }) => speedup));
  return { fixedShare: fixed / all.totalMs, bound: all.totalMs / fixed, measured };
}

/** The parts of Node's `process` that report memory; absent in browsers. */
interface ProcessLike {
  memoryUsage?: { rss?(): number };
  resourceUsage?(): { readonly maxRSS: number };
}

const host = (globalThis as { readonly process?: ProcessLike }).process;

/** Resident memory of the process, in bytes. */
export function residentBytes(): number | undefined {
  return host?.memoryUsage?.rss?.();
}

/** Memory since the start. */
export function memorySince(startBytes: number | undefined): VerifyMemory | undefined {
  const peak = host?.resourceUsage?.().maxRSS;
  return startBytes === undefined || peak === undefined ? undefined : { startBytes, peakBytes: peak * 1024 };
}

const SAMPLE_MS = 10;

/** Samples resident memory until the end, and whenever a sample is requested. */
function watchMemory(): { look(): void; end(): number } | undefined {
  const first = residentBytes();
  if (first === undefined) return undefined;
  let highest = first;
  const look = (): void => {
    highest = Math.max(highest, residentBytes() ?? 0);
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    look,
    end() {
      clearInterval(timer);
      look();
      return highest;
    },
  };
}
