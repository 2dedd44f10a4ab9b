// Finds out which engines and devices work on this machine. Prints nothing.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isolatedProbe } from './isolated-probe.js';
import type { ProbeResult, ProbeTarget } from './probe.js';

/** An engine on a device, and whether it works here. */
export interface EngineReport {
  readonly target: ProbeTarget;
  /** What to call it, e.g. `cuda` or `@tensorflow/tfjs-node`. */
  readonly label: string;
  readonly result: ProbeResult;
}

/** What a machine has. */
export interface MachineReport {
  readonly node: { readonly version: string; readonly isSupported: boolean };
  readonly platform: string;
  readonly transformers: string;
  readonly engines: readonly EngineReport[];
}

/** Inspects a machine. */
export type InspectEngines = () => Promise<MachineReport>;

/** Execution providers that onnxruntime-node has, by platform. */
const PROVIDERS: Readonly<Record<string, readonly string[] | undefined>> = {
  linux: ['cpu', 'cuda', 'webgpu'],
  win32: ['cpu', 'cuda', 'dml', 'webgpu'],
  darwin: ['cpu', 'coreml', 'webgpu'],
};

const TFJS_MODULES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node', '@tensorflow/tfjs'];

/** Tries all engines at once, each in a process of its own. */
export const inspectEngines: InspectEngines = async () => {
  const targets: readonly (readonly [label: string, target: ProbeTarget])[] = [
    ...(PROVIDERS[process.platform] ?? ['cpu']).map((choice) => [choice, { engine: 'ort', choice }] as const),
    ['own choice', { engine: 'tfjs', choice: '' }],
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

/** The version of transformers.js, from the manifest above its entry; it does not export the manifest. */
async function transformersVersion(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@huggingface/transformers');
  const manifest = JSON.parse(await readFile(join(dirname(entry), '..', 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  return manifest.version;
}
