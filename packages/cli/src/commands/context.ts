// What every command receives: its streams, and factories of the heavy parts, which tests replace.

import { type CreateBackend, createBackend } from '../engines/create-backend.js';
import { type InspectEngines, inspectEngines } from '../engines/inspect-engines.js';
import {
  type LoadAgent,
  type LoadEvalModel,
  type LoadVlm,
  loadAgent,
  loadEvalModel,
  loadVlm,
  type VerifyModel,
  verifyModel,
} from '../models/load.js';
import type { Io } from '../terminal/io.js';

/** The factories that commands use. */
export interface Services {
  readonly createBackend: CreateBackend;
  readonly loadVlm: LoadVlm;
  readonly loadEvalModel: LoadEvalModel;
  readonly loadAgent: LoadAgent;
  readonly inspectEngines: InspectEngines;
  readonly verifyModel: VerifyModel;
}

/** The streams and factories of a command. */
export interface Context {
  readonly io: Io;
  readonly services: Services;
}

/** The real factories. None loads an engine before it is called. */
export const services: Services = {
  createBackend,
  loadVlm,
  loadAgent,
  loadEvalModel,
  inspectEngines,
  verifyModel,
};
