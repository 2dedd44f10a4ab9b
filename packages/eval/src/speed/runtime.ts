// Where graphs run: the part of ONNX Runtime's JavaScript API that is needed, so that callers can pass the copy that is already
// loaded, and a temporary folder for the files.

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BackendUnavailableError } from '@mmtok/core';
import { messageOf, STOP_SPINNING } from '@mmtok/core/internal';

/** A tensor of onnxruntime. */
export interface SpeedTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

/** A loaded graph. */
export interface SpeedSession {
  run(feeds: Readonly<Record<string, SpeedTensor>>): Promise<Readonly<Record<string, SpeedTensor>>>;
  release(): Promise<void>;
}

/** The module `onnxruntime-node`. */
export interface SpeedRuntime {
  readonly InferenceSession: {
    create(path: string, options?: Readonly<Record<string, unknown>>): Promise<SpeedSession>;
  };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => SpeedTensor;
}

/**
 * Opens a graph as `loadVlm` of @mmtok/transformers does: threads of idle sessions do not compete with the one that runs.
 * @throws BackendUnavailableError if the runtime lacks an operator of the graph.
 */
export async function openSession(
  runtime: SpeedRuntime,
  path: string,
  device: string,
): Promise<SpeedSession> {
  try {
    return await runtime.InferenceSession.create(path, {
      executionProviders: [device],
      ...STOP_SPINNING,
    });
  } catch (cause) {
    const missing = /No Op registered for (\w+)/.exec(messageOf(cause))?.[1];
    if (missing === undefined) throw cause;
    throw new BackendUnavailableError(
      'ort',
      `it has no operator ${missing}`,
      'These dimensions need onnxruntime-node 1.30 or later.',
      { cause },
    );
  }
}

// A folder for large, short-lived files: removed when the work is done, fails, or is interrupted.

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Creates a temporary folder, does some work in it, and removes it. SIGINT and SIGTERM also remove it before the process dies.
 */
export async function inTemporaryFolder<T>(prefix: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), prefix));
  const unlisten = (): void => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    unlisten();
    try {
      rmSync(folder, { recursive: true, force: true });
    } finally {
      // A listener disables the signal's default action. If the program has its own listener, that one decides.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    return await work(folder);
  } finally {
    unlisten();
    await rm(folder, { recursive: true, force: true });
  }
}
