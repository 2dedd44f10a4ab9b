// The default backend of prune(): ONNX Runtime, the same instance that runs the model.

import type { Backend } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import { inTurn } from '../internal/session.js';
import type { ModelLike } from '../internal/types.js';

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
