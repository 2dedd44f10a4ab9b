// Backends by the names that the command line knows, and ONNX Runtime itself. Engines load on first use.

import { createRequire } from 'node:module';
import { type Backend, BackendUnavailableError, createReferenceBackend } from '@mmtok/core';
import { messageOf, parseOptions } from '@mmtok/core/internal';
import type { SpeedRuntime } from '@mmtok/eval';
import type { OrtBackendOptions } from '@mmtok/ort-backend';
import * as z from 'zod';
import { UsageError } from '../errors.js';

/** Values of `--backend`: ONNX Runtime, TensorFlow.js, and the reference backend without an engine. */
export const BACKENDS = ['ort', 'tfjs', 'cpu'] as const;

/** A backend by its name on the command line. */
export type BackendName = (typeof BACKENDS)[number];

/** Creates a backend; `device` is an execution provider of ONNX Runtime or a backend of TensorFlow.js. */
export type CreateBackend = (name: string, device?: string) => Promise<Backend>;

const schema = z.enum(BACKENDS, `expected one of ${BACKENDS.join(', ')}`);

/**
 * Creates the backend of that name.
 * @throws InvalidOptionsError for an unknown name or device.
 * @throws BackendUnavailableError if its engine is missing or does not work here; the hint says how to install it.
 */
export const createBackend: CreateBackend = async (name, device) => {
  switch (parseOptions(`backend '${name}'`, schema, name)) {
    case 'ort': {
      const { createOrtBackend } = await import('@mmtok/ort-backend');
      return createOrtBackend(device === undefined ? {} : { device: device as OrtDevice });
    }
    case 'tfjs': {
      const { createTfjsBackend } = await import('@mmtok/tfjs-backend');
      return createTfjsBackend(device === undefined ? {} : { tfBackend: device });
    }
    case 'cpu': {
      if (device !== undefined && device !== 'cpu') {
        throw new UsageError(`The backend cpu runs on the CPU only, not on '${device}'; use --backend ort.`);
      }
      return createReferenceBackend();
    }
  }
};

type OrtDevice = Extract<NonNullable<OrtBackendOptions['device']>, string>;

/**
 * Loads the copy of onnxruntime-node that transformers.js uses; two copies in one process do not work.
 * @throws BackendUnavailableError if it is not installed or does not load.
 */
export function loadOnnxRuntime(): SpeedRuntime {
  try {
    const library = createRequire(import.meta.url).resolve('@huggingface/transformers');
    return createRequire(library)('onnxruntime-node') as SpeedRuntime;
  } catch (cause) {
    throw new BackendUnavailableError(
      'onnxruntime-node',
      `it does not load (${messageOf(cause)})`,
      'Install it with `npm install @huggingface/transformers`; `mmtok doctor` shows what works here.',
      { cause },
    );
  }
}
