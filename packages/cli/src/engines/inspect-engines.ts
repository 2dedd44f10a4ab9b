// Finds out which engines and devices work on this machine. Each is tried in its own process, because an incompatible native library
// may crash it.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProbeResult, type ProbeTarget, resultSchema } from './probe.js';

/** Whether an engine works on a device here. */
export interface EngineReport {
  readonly target: ProbeTarget;
  /** Its name, e.g. `cuda` or `@tensorflow/tfjs-node`. */
  readonly label: string;
  readonly result: ProbeResult;
}

/** The engines of a machine. */
export interface MachineReport {
  readonly node: { readonly version: string; readonly isSupported: boolean };
  readonly platform: string;
  readonly transformers: string;
  readonly engines: readonly EngineReport[];
}

/** Inspects a machine. */
export type InspectEngines = () => Promise<MachineReport>;

/** Execution providers of onnxruntime-node by platform. */
const PROVIDERS: Readonly<Record<string, readonly string[] | undefined>> = {
  linux: ['cpu', 'cuda', 'webgpu'],
  win32: ['cpu', 'cuda', 'dml', 'webgpu'],
  darwin: ['cpu', 'coreml', 'webgpu'],
};

const TFJS_MODULES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs'];

/** Tries all engines at once, each in its own process. */
export const inspectEngines: InspectEngines = async () => {
  const targets: readonly (readonly [label: string, target: ProbeTarget])[] = [
    ...(PROVIDERS[process.platform] ?? ['cpu']).map((choice) => [choice, { engine: 'ort', choice }] as const),
    ['default', { engine: 'tfjs', choice: '' }],
    ...TFJS_MODULES.map((choice) => [choice, { engine: 'tfjs', choice }] as const),
  ];
  const engines = await Promise.all(
    targets.map(async ([label, target]) => ({ label, target, result: await isolatedProbe(target) })),
  );
  return {
    node: { version: process.versions.node, isSupported: isSupported(process.versions.node) },
    platform: `${process.platform} ${process.arch}`,
    transformers: await transformersVersion(),
    engines,
  };
};

/** Whether a version of Node is 20.19 or newer. */
export function isSupported(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

/** The version of transformers.js, from its package.json, which it does not export. */
async function transformersVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@huggingface/transformers');
  const manifest = JSON.parse(await readFile(join(dirname(entry), '..', 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}

const PROGRAM = fileURLToPath(new URL('./probe.js', import.meta.url));
const TIMEOUT_MS = 60_000;

/** Tries an engine in another process. */
function isolatedProbe(target: ProbeTarget): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const args = [PROGRAM, JSON.stringify(target)];
    execFile(process.execPath, args, { timeout: TIMEOUT_MS }, (error, stdout) => {
      resolve(readResult(stdout) ?? { works: false, problem: crash(error), hint: '' });
    });
  });
}

function readResult(stdout: string): ProbeResult | undefined {
  try {
    return resultSchema.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
  } catch {
    return undefined;
  }
}

function crash(error: { readonly signal?: NodeJS.Signals | null; readonly killed?: boolean } | null): string {
  if (error?.killed) return `no answer within ${TIMEOUT_MS / 1000} s`;
  const end = error?.signal ? `was killed by ${error.signal}` : 'ended without a result';
  return `the process ${end}; its native library probably does not work here`;
}
