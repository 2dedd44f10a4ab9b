// A tiny LLaVA for the tests of a file: loaded once, pruned by each test, and restored after it.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createReferenceBackend } from '@mmtok/core';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type CallOptions, type PruneHandle, type PruneOptions, prune } from '../../src/index.js';
import {
  buildTinyModel,
  type LoadedTinyModel,
  type ModelInputs,
  noiseImage,
  type TinyModel,
} from '../tiny-models/index.js';
import { generate } from './reference.js';

const backend = createReferenceBackend();

/** The model of a test file, and the handle of the current test. */
export class PrunedLlava {
  /** For files of the test. */
  directory!: string;
  llava!: TinyModel;
  loaded!: LoadedTinyModel;
  /** A question about one image. */
  inputs!: ModelInputs;
  handle: PruneHandle | undefined;

  /** Call this at the top level of a test file. */
  constructor() {
    beforeAll(async () => {
      this.directory = await mkdtemp(join(tmpdir(), 'llava-'));
      this.llava = await buildTinyModel('llava', { directory: this.directory });
      this.loaded = await this.llava.load();
      this.inputs = await this.loaded.inputs('is the cat red ?', [noiseImage(this.llava.imageSize)]);
    });
    afterEach(() => this.handle?.restore());
    afterAll(async () => {
      await this.loaded.dispose();
      await rm(this.directory, { recursive: true, force: true });
    });
  }

  /** Prunes a model to four vision tokens: this one, or another. */
  attach(options: Partial<PruneOptions> = {}, onto = this.loaded): PruneHandle {
    this.handle = prune(onto.model, {
      processor: onto.processor,
      backend,
      budget: { tokens: 4 },
      minVisionTokens: 1,
      ...options,
    });
    return this.handle;
  }

  /** Generates one token. */
  async run(mmtok: CallOptions = {}, given = this.inputs, model = this.loaded): Promise<unknown> {
    return await generate(model.model, { ...given, max_new_tokens: 1, mmtok });
  }
}
