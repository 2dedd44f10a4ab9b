// The options of createTfjsBackend and their schema.

import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { Tfjs } from './tfjs.js';

/** Options of `createTfjsBackend`. */
export interface TfjsBackendOptions {
  /**
   * A loaded TensorFlow.js module. Runs on its active backend unless `tfBackend` names one.
   */
  readonly tf?: Tfjs;
  /**
   * Which module to load: a package name, or the path of a package or file. Not together with `tf`.
   * @default the environment variable MMTOK_TFJS_MODULE, or else the first of: the addon built by `mmtok-tfjs-native`,
   * `@tensorflow/tfjs-node-gpu`, `@tensorflow/tfjs-node`, `@tensorflow/tfjs`
   */
  readonly module?: string;
  /**
   * Which backend of TensorFlow.js to run on: `'tensorflow'` (native), `'wasm'`, `'cpu'` (plain JavaScript), `'webgl'` …
   * @default the one that TensorFlow.js prefers
   */
  readonly tfBackend?: string;
  /**
   * How long TensorFlow.js may take to initialize its backend, in milliseconds. Otherwise threads of the WASM backend that
   * never start, as in pages that Vite minifies, would block forever.
   * @default 10000
   */
  readonly timeoutMs?: number;
}

/** The options with their defaults. */
export type CheckedTfjsOptions = TfjsBackendOptions & { readonly timeoutMs: number };

/** Whether a value looks like a TensorFlow.js module. */
export function isTfjs(value: unknown): value is Tfjs {
  if (typeof value !== 'object' || value === null) return false;
  return ['tidy', 'tensor', 'matMul', 'ready'].every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  );
}

const schema = z
  .strictObject({
    tf: z
      .custom<Tfjs>(isTfjs, "expected a TensorFlow.js module, e.g. await import('@tensorflow/tfjs')")
      .optional(),
    module: z.string().min(1).optional(),
    tfBackend: z.string().min(1).optional(),
    // The largest delay of a timer.
    timeoutMs: z
      .number()
      .positive()
      .max(2 ** 31 - 1)
      .default(10_000),
  })
  .refine(({ tf, module }) => tf === undefined || module === undefined, {
    error: "give either 'tf' (a loaded module) or 'module' (its name), not both",
  }) as z.ZodType<CheckedTfjsOptions>;

/** @throws InvalidOptionsError */
export function parseTfjsOptions(options: TfjsBackendOptions): CheckedTfjsOptions {
  return parseOptions('options of createTfjsBackend', schema, options);
}
