// LLaVA-NeXT through a real vLLM server: this server encodes tiles, and the answers to their kept rows equal PyTorch's.

import { readFileSync } from 'node:fs';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createVisionSelector,
  createVllmEngine,
  type LogEntry,
  type RunningServer,
  startServer,
} from '../../src/index.js';
import { imageAnd } from '../support/fakes.js';
import { dataUri } from '../support/image-files.js';
import { client, common, type Expected, fileOf, type Reply, readReference, seen } from './real-vllm.js';

interface Case {
  readonly file: string;
  /** Whether the image is not resized, so that vLLM's processor computes the same pixels. */
  readonly isExact: boolean;
  /** Kept tokens of each tile. */
  readonly keep: readonly number[][];
  readonly whole: Expected;
  readonly kept: Expected;
}

const { question, perTile, cases } = readReference<{
  question: string;
  perTile: number;
  cases: readonly Case[];
}>();
/** The tiles to select in, in the order in which the selector asks. */
const picks: number[][] = [];
const log: LogEntry[] = [];
let server: RunningServer;
let openai: OpenAI;

beforeAll(async () => {
  const selector = await createVisionSelector(fileOf('encoder'), {
    budget: { tokens: perTile },
    selection: { select: () => picks.shift() ?? [] },
  });
  const engine = await createVllmEngine({
    client,
    selector,
    // With bfloat16's rounding, this checkpoint's greedy answers to 500 × 300 and 800 × 40 pixels change.
    dtype: 'float16',
    probe: 'strict',
    log: (entry) => log.push(entry),
  });
  server = await startServer({ engine, port: 0, log: () => undefined });
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await server?.close();
});

test('the probe gets the same answer for rows and image', () => {
  expect(log.map(({ event }) => event)).toContain('probe-passed');
});

describe.each(cases.map((each) => [each.file, each] as const))(
  '%s',
  (file, { isExact, keep, whole, kept }) => {
    const url = dataUri(readFileSync(fileOf(file)));
    const ask = async (mmtok: unknown): Promise<Reply> => {
      const messages = [{ role: 'user', content: imageAnd(question, url) }];
      return (await openai.chat.completions.create({
        ...common,
        messages,
        mmtok,
      } as never)) as unknown as Reply;
    };

    test("with all rows, the answer is PyTorch's for the image", async () => {
      expect(seen(await ask({ keep: 576 }))).toEqual(whole);
      if (isExact) expect(seen(await ask(false))).toEqual(whole);
    });

    test("with the kept rows of each tile, the answer is PyTorch's for these rows", async () => {
      picks.push(...keep);
      const reply = await ask({});
      expect(reply.mmtok).toMatchObject({
        visionTokens: keep.length * 576,
        keptTokens: keep.length * perTile,
      });
      expect(seen(reply)).toEqual(kept);
    });
  },
);
