// The backend of prune() where the caller names none: ONNX Runtime, the very instance that runs the model.

import type { Backend } from '@mmtok/core';
import { createOrtBackend } from '@mmtok/ort-backend';
import { inTurn } from '../internal/session.js';
import type { ModelLike } from '../internal/types.js';

/** A backend that is created at first use, on the ONNX Runtime of a model's sessions and in the library's own queue. */
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
      // The next call tries again.
      this.backend = undefined;
      throw error;
    }
  }

  /** Frees the backend, if it was ever used. */
  async dispose(): Promise<void> {
    const backend = await this.backend?.catch(() => undefined);
    this.backend = undefined;
    await backend?.dispose();
  }
}
