// Tries one engine on one device by creating the backend that other commands would create. inspect-engines.ts runs this file in a
// separate process.

import { fileURLToPath } from 'node:url';
import { MmtokError } from '@mmtok/core';
import { messageOf } from '@mmtok/core/internal';
import * as z from 'zod';
import { loadOnnxRuntime } from './create-backend.js';

const targetSchema: z.ZodType<ProbeTarget> = z.object({
  engine: z.enum(['ort', 'tfjs']),
  choice: z.string(),
});

/** What to try: an execution provider of ONNX Runtime, or a module of TensorFlow.js (`''` is the default). */
export interface ProbeTarget {
  readonly engine: 'ort' | 'tfjs';
  readonly choice: string;
}

/** The result of a trial. */
export const resultSchema: z.ZodType<ProbeResult> = z.discriminatedUnion('works', [
  z.object({
    works: z.literal(true),
    device: z.string(),
    module: z.string(),
    version: z.string(),
    listed: z.array(z.string()).optional(),
  }),
  z.object({ works: z.literal(false), problem: z.string(), hint: z.string() }),
]);

/** See {@link resultSchema}. */
export type ProbeResult =
  | {
      readonly works: true;
      /** The device, e.g. `cpu`. */
      readonly device: string;
      readonly module: string;
      readonly version: string;
      /** For ONNX Runtime: the providers that the module lists, whether or not they work. */
      readonly listed?: readonly string[] | undefined;
    }
  | {
      readonly works: false;
      readonly problem: string;
      /** What to do about it. */
      readonly hint: string;
    };

/** Tries an engine in this process, which a broken native library may crash; see inspect-engines.ts. */
export async function probe({ engine, choice }: ProbeTarget): Promise<ProbeResult> {
  try {
    return engine === 'ort' ? await probeOrt(choice) : await probeTfjs(choice);
  } catch (error) {
    return explain(error);
  }
}

async function probeOrt(device: string): Promise<ProbeResult> {
  const { createBackend } = await import('./create-backend.js');
  const backend = await createBackend('ort', device);
  await backend.dispose();
  return { works: true, device: backend.device, module: 'onnxruntime-node', ...describeOrt() };
}

async function probeTfjs(module: string): Promise<ProbeResult> {
  const { createTfjsBackend } = await import('@mmtok/tfjs-backend');
  const backend = await createTfjsBackend(module === '' ? {} : { module });
  const { device, engine } = backend;
  await backend.dispose();
  return { works: true, device, module: engine.module, version: engine.version };
}

/** Version and providers of the onnxruntime-node that transformers.js loads. */
function describeOrt(): { readonly version: string; readonly listed: string[] } {
  const ort: unknown = loadOnnxRuntime();
  const { env, listSupportedBackends } = ort as {
    readonly env: { readonly versions: { readonly node?: string } };
    listSupportedBackends(): readonly { readonly name: string; readonly bundled: boolean }[];
  };
  return {
    version: env.versions.node ?? 'unknown',
    listed: listSupportedBackends().map(({ name, bundled }) => (bundled ? name : `${name} (not bundled)`)),
  };
}

function explain(error: unknown): ProbeResult {
  if (!MmtokError.isInstance(error)) return { works: false, problem: messageOf(error), hint: '' };
  return { works: false, problem: withoutSourceLines(error.problem), hint: error.hint ?? '' };
}

/** Removes the location in ONNX Runtime's C++ sources. */
function withoutSourceLines(problem: string): string {
  return problem
    .replace(/^no device works \(\w+: ([\s\S]*?)\s*\)\.?$/, '$1')
    .replace(/^\/\S+\.cc:\d+ [\s\S]* was false\. /, '')
    .replace(/\.$/, '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const result = await probe(targetSchema.parse(JSON.parse(process.argv[2] ?? '')));
  process.stdout.write(`\n${JSON.stringify(result)}\n`);
  // Threads of native engines may keep the process alive.
  process.exit(0);
}
