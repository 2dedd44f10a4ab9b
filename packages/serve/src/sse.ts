// Server-sent events as OpenAI's streams use them: `data:` lines of JSON, and `[DONE]` at the end.

import { errorBody } from './errors.js';

const encoder = new TextEncoder();

/** One event as bytes. */
export function encodeEvent(data: unknown): Uint8Array {
  return encoder.encode(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
}

/** The line that ends a stream of OpenAI's API. */
export const DONE = '[DONE]';

/**
 * Turns chunks into a stream of events that ends with `[DONE]`, or, when `chunks` throws, with an event that holds
 * OpenAI's error body. When the reader goes away, `chunks.return()` is called.
 */
export function eventStream(chunks: AsyncGenerator<unknown>): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        if (!done) return controller.enqueue(encodeEvent(value));
        controller.enqueue(encodeEvent(DONE));
      } catch (error) {
        controller.enqueue(encodeEvent(errorBody(error)));
      }
      controller.close();
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
}

/**
 * The `data` of each event of a stream of bytes.
 * @throws what the stream throws.
 */
export async function* readEvents(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of stream) {
    rest += decoder.decode(bytes, { stream: true });
    const events = rest.split(/\r?\n\r?\n/);
    rest = events.pop() ?? '';
    for (const event of events) {
      const data = event
        .split(/\r?\n/)
        .filter((line) => line.startsWith('data:'))
        .map((line) => line.slice(5).replace(/^ /, ''));
      if (data.length > 0) yield data.join('\n');
    }
  }
}
