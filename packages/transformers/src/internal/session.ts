// Runs ONNX sessions of a model in transformers.js's own queue, returns all their outputs, and measures how long they take. The
// default backend of prune() runs in the same queue, on the same ONNX Runtime.

import type { Backend } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import type { ModelInputs, ModelLike, SessionLike, TensorLike } from './types.js';
import { isTensor } from './types.js';

/**
 * Runs a task in the queue in which transformers.js runs its sessions. In a browser, ONNX Runtime rejects two runs at the same
 * time, so the library chains them. The chain is private, but a session that is passed to the library joins it.
 */
async function inTurn<T>(model: ModelLike, task: () => Promise<T>): Promise<T> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
  const session: SessionLike = {
    inputNames: [],
    outputNames: [],
    // The library's chain would stay broken after a rejection, so an error bypasses it.
    run: async () => {
      outcome = await task().then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
      return {};
    },
  };
  if (model._encode_input === undefined) return await task();
  const turn = Object.create(model, { sessions: { value: { turn: session } } }) as ModelLike;
  await model._encode_input.call(turn, 'turn', {}, 'none');
  if (outcome === undefined) throw new Error('transformers.js did not run the session it was given');
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}

/**
 * Feeds a session the inputs it asks for from `inputs`, and returns all its outputs.
 * @param like any tensor of the caller's transformers.js, for the class of the results.
 */
export async function runSession(
  model: ModelLike,
  name: string,
  inputs: ModelInputs,
  like: TensorLike,
): Promise<Record<string, TensorLike>> {
  const session = model.sessions[name];
  if (session === undefined) throw new Error(`the model has no session '${name}'`);
  const feeds: Record<string, unknown> = {};
  for (const input of session.inputNames) {
    const value = inputs[input];
    if (!isTensor(value)) throw new Error(`session '${name}' needs the input '${input}'`);
    feeds[input] = value.ort_tensor ?? value;
  }
  const outputs = await inTurn(model, () => session.run(feeds));
  const Tensor = like.constructor as new (tensor: unknown) => TensorLike;
  return Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, new Tensor(value)]));
}

/** A session with a different `run`. In all other respects, it is the given session. */
export function withRun(session: SessionLike, run: SessionLike['run']): SessionLike {
  return Object.create(session, { run: { value: run } }) as SessionLike;
}

/** A model that shares everything with `model` except some sessions. Calls on it do not change the original model. */
export function withSessions(model: ModelLike, sessions: Readonly<Record<string, SessionLike>>): ModelLike {
  return Object.create(model, {
    sessions: { value: { ...model.sessions, ...sessions } },
  }) as ModelLike;
}

/** The model with one session whose run times are reported to `record`, in milliseconds. */
export function withTimedSession(model: ModelLike, name: string, record: (ms: number) => void): ModelLike {
  const session = model.sessions[name];
  if (session === undefined) return model;
  const timed = withRun(session, async (feeds) => {
    const started = performance.now();
    const outputs = await session.run(feeds);
    record(performance.now() - started);
    return outputs;
  });
  return withSessions(model, { [name]: timed });
}

/** A backend that is created on first use, with the ONNX Runtime of the model's sessions and the library's own queue. */
export class DefaultBackend {
  private backend: Promise<Backend> | undefined;
  private readonly model: ModelLike;

  constructor(model: ModelLike) {
    this.model = model;
  }

  /** @throws BackendUnavailableError if ONNX Runtime cannot run on the device of the model. */
  async get(): Promise<Backend> {
    const { model } = this;
    this.backend ??= createOrtBackend({ model, runExclusive: (run) => inTurn(model, run) });
    try {
      return await this.backend;
    } catch (error) {
      // The next call retries.
      this.backend = undefined;
      throw error;
    }
  }

  /** Frees the backend if it was ever used. */
  async dispose(): Promise<void> {
    const backend = await this.backend?.catch(() => undefined);
    this.backend = undefined;
    await backend?.dispose();
  }
}
