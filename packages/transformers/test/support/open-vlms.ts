// Models that the tests of a file open with createVlm, each with a few vision tokens kept.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { type CreateVlmOptions, createVlm, type Vlm } from '../../src/index.js';
import { buildTinyModel, type FamilyName, type TinyModel } from '../tiny-models/index.js';

/** The question that these tests ask. */
export const QUESTION = 'is the cat red ?';

/** Opens models, and disposes them after the last test of the file. */
export class OpenVlms {
  /** For files of the test. */
  directory = '';
  private readonly opened: Vlm[] = [];

  /** Call this at the top level of a test file. */
  constructor() {
    beforeAll(async () => {
      this.directory = await mkdtemp(join(tmpdir(), 'vlm-'));
    });
    afterAll(async () => {
      for (const vlm of this.opened) await vlm.dispose();
      await rm(this.directory, { recursive: true, force: true });
    });
  }

  /** Opens a tiny model that keeps two vision tokens of each image. */
  async open(
    name: FamilyName,
    options: CreateVlmOptions = {},
  ): Promise<{ readonly vlm: Vlm; readonly tiny: TinyModel }> {
    const tiny = await buildTinyModel(name, { directory: this.directory });
    const vlm = await this.create(tiny.path, { minVisionTokens: 1, keep: 2, ...options });
    return { vlm, tiny };
  }

  /** Opens a model from a folder. */
  async create(path: string, options: CreateVlmOptions): Promise<Vlm> {
    const vlm = await createVlm(path, options);
    this.opened.push(vlm);
    return vlm;
  }
}
