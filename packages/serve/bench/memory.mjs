// Does the memory of a serving process stay flat? The embedded small model answers requests about more images than its cache
// holds, four at a time; a third of them are streamed, and some are aborted.
//
//   pnpm build && node --expose-gc packages/serve/bench/memory.mjs [requests]

import { readFileSync } from 'node:fs';
import { serveModel } from '@mmtok/serve';
import { heldOut, smallModelPath } from '@mmtok/tiny-vlm';

const total = Number(process.argv[2] ?? 2000);
const questions = await heldOut({ limit: 180 });
const server = await serveModel({
  model: smallModelPath,
  servedName: 'small',
  port: 0,
  log: () => undefined,
});
const bodies = questions.map(({ image, question }, index) => {
  const url = `data:image/png;base64,${readFileSync(image).toString('base64')}`;
  const content = [
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: question },
  ];
  return JSON.stringify({
    model: 'small',
    messages: [{ role: 'user', content }],
    stream: index % 3 === 0,
    max_tokens: 8,
  });
});

let next = 0;
let answered = 0;
const ask = async (index) => {
  const isGivenUp = index % 50 === 49;
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodies[index % bodies.length],
    signal: isGivenUp ? AbortSignal.timeout(5) : null,
  });
  await response.text();
  if (response.ok) answered += 1;
};
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`.padStart(8);
const report = () => {
  globalThis.gc?.();
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
  console.log(`${String(next).padStart(8)}${megabytes(rss)}${megabytes(heapUsed)}${megabytes(arrayBuffers)}`);
};
console.log('requests     rss    heap  buffers');
while (next < total) {
  const until = Math.min(total, next + total / 10);
  const work = async () => {
    while (next < until) await ask(next++).catch(() => undefined);
  };
  await Promise.all([work(), work(), work(), work()]);
  report();
}
console.log(`${answered} of ${total} answered; one in fifty was given up by its client`);
await server.close();
