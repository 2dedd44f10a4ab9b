// Load on loopback: many requests, sixteen at a time. Each gets the answer to its own question.

import { afterEach, describe, expect, test } from 'vitest';
import {
  createLocalEngine,
  createVllmClient,
  createVllmEngine,
  type Engine,
  type RunningServer,
  startServer,
} from '../src/index.js';
import { type FakeVllm, startFakeVllm } from './support/fake-vllm.js';
import { createFakeModel, createFakeSelector, imageAnd, PIXEL } from './support/fakes.js';

let upstream: FakeVllm | undefined;
let server: RunningServer | undefined;
afterEach(async () => {
  await server?.close();
  await upstream?.close();
});

const AT_A_TIME = 16;

/** Pixels whose bytes differ where the fake encoder reads them. */
const images = Array.from({ length: 8 }, (_, index) => {
  const bytes = Buffer.from(PIXEL.split(',')[1] ?? '', 'base64');
  bytes[bytes.length - 13] = index + 1;
  return `data:image/png;base64,${bytes.toString('base64')}`;
});
/** The upper half of the float32 that the fake encoder returns for image `index`. */
const markOf = (index: number): number => new Uint16Array(Float32Array.of(index + 1).buffer)[1] ?? 0;

async function engineOf(name: string): Promise<Engine> {
  if (name === 'local') return createLocalEngine({ model: createFakeModel() });
  upstream = await startFakeVllm();
  const client = createVllmClient({ baseUrl: upstream.url, model: 'tiny' });
  return await createVllmEngine({ client, selector: createFakeSelector({ kept: 9 }), probe: 'off' });
}

describe.each([
  ['local', 1000],
  ['vllm', 1000],
])('engine %s', (name, count) => {
  test(`neither loses nor mixes up any of ${count} answers`, async () => {
    server = await startServer({ engine: await engineOf(name), port: 0, log: () => undefined });
    const url = `${server.url}/v1/chat/completions`;
    const wrong: string[] = [];
    let next = 0;
    const ask = async (index: number): Promise<void> => {
      const stream = index % 3 === 0;
      const question = `question number ${index} please`;
      const messages = [{ role: 'user', content: imageAnd(question, images[index % images.length]) }];
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'tiny', messages, stream }),
      });
      const text = await response.text();
      const answer = stream
        ? [...text.matchAll(/"content":"([^"]*)"/g)].map(([, piece]) => piece).join('')
        : (JSON.parse(text) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;
      const expected = name === 'local' ? question : `${question} rows 9/${markOf(index % images.length)}`;
      if (answer !== expected) wrong.push(`${index}: ${response.status} ${answer}`);
    };
    const worker = async (): Promise<void> => {
      while (next < count) await ask(next++);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
    expect(wrong).toEqual([]);
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(`mmtok_requests_total{route="/v1/chat/completions",status="200"} ${count}`);
    expect(metrics).toMatch(/mmtok_queue_depth 0\n/);
  });
});
