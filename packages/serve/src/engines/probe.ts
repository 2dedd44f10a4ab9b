// The startup check: does the upstream server give the same answer for all rows of an image as for the image itself? If not,
// the encoder's weights are not those of the served checkpoint, and every answer would be wrong.

import { crc32, deflateSync } from 'node:zlib';
import type { ChatJob, JsonObject } from '../engine.js';
import { ServeStartError, UpstreamError } from '../errors.js';
import { type CheckedImage, toDataUri } from '../images/load.js';
import type { Log } from '../observe.js';
import type { ChatMessage } from '../request/chat.js';
import type { VllmClient } from '../vllm/client.js';

/** What {@link probe} needs. */
export interface ProbeSettings {
  readonly client: VllmClient;
  /** Side of the image, chosen so that no processor resizes it: resizing may differ without being an error. */
  readonly side: number;
  readonly select: (
    job: Pick<ChatJob, 'images' | 'body' | 'overrides'>,
    signal: AbortSignal,
  ) => Promise<{ readonly messages: readonly unknown[] }>;
  readonly isStrict: boolean;
  readonly log: Log;
}

const TOKENS = 8;
const TIMEOUT_MS = 120_000;

/**
 * Compares greedy answers and prompt lengths.
 * @throws ServeStartError if `isStrict` and they differ or cannot be compared.
 */
export async function probe({ client, side, select, isStrict, log }: ProbeSettings): Promise<void> {
  const image = probeImage(side);
  const messages: readonly ChatMessage[] = [
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: toDataUri(image) } },
        { type: 'text', text: 'Describe the image.' },
      ],
    },
  ];
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const ask = async (content: readonly unknown[]): Promise<Answer> =>
    toAnswer(await client.chat({ messages: content, max_tokens: TOKENS, temperature: 0 }, { signal }));

  const problem = await (async () => {
    try {
      const byImage = await ask(messages);
      const rows = await select(
        { images: [image], body: { model: client.model, messages }, overrides: false },
        signal,
      );
      const byRows = await ask(rows.messages);
      if (byImage.promptTokens !== byRows.promptTokens) {
        return `the prompt has ${byImage.promptTokens} tokens with an image, but ${byRows.promptTokens} with its rows`;
      }
      if (byImage.text === byRows.text) return undefined;
      return `it answered ${JSON.stringify(byImage.text)} to an image, but ${JSON.stringify(byRows.text)} to its rows`;
    } catch (error) {
      if (error instanceof UpstreamError) return `it answered ${error.status}: ${error.body.slice(0, 300)}`;
      throw error;
    }
  })();
  if (problem === undefined) return log({ level: 'info', event: 'probe-passed' });
  const message =
    `The upstream server treats rows and the image differently: ${problem}. Check that the encoder here is an export of the ` +
    'served checkpoint, in the same precision, and that vLLM was started with --enable-mm-embeds.';
  if (isStrict) throw new ServeStartError('data', message);
  log({ level: 'warn', event: 'probe-failed', message });
}

interface Answer {
  readonly text: unknown;
  readonly promptTokens: unknown;
}

function toAnswer(body: JsonObject): Answer {
  const { choices, usage } = body as {
    readonly choices?: readonly { readonly message?: { readonly content?: unknown } }[];
    readonly usage?: { readonly prompt_tokens?: unknown };
  };
  return { text: choices?.[0]?.message?.content, promptTokens: usage?.prompt_tokens };
}

/** A PNG with colored squares. */
function probeImage(side: number): CheckedImage {
  const pixels = Buffer.alloc(side * (1 + side * 3));
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const at = y * (1 + side * 3) + 1 + x * 3;
      pixels[at] = (x * 255) / side;
      pixels[at + 1] = (y * 255) / side;
      pixels[at + 2] = (x >> 5) % 2 === (y >> 5) % 2 ? 220 : 30;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 2], 8); // 8 bits, RGB
  const chunk = (name: string, content: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(name), content]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(content.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const bytes = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return { mediaType: 'image/png', width: side, height: side, bytes };
}
