// Reads a request's body as JSON, within limits of size and time.

import { BadRequestError, LimitError, TimeoutError } from '../errors.js';

/** Limits of a body. */
export interface BodyBounds {
  readonly bodyBytes: number;
  readonly bodyMs: number;
}

/**
 * Reads and parses a JSON body.
 * @throws BadRequestError (400, or 415 for another media type or a compressed body), LimitError (413), TimeoutError (408).
 */
export async function readJson(request: Request, bounds: BodyBounds): Promise<unknown> {
  const type = request.headers.get('content-type') ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new BadRequestError(`Expected content-type application/json, got '${type.slice(0, 100)}'.`, {
      status: 415,
    });
  }
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') {
    throw new BadRequestError('Compressed bodies are not supported. Send plain JSON.', { status: 415 });
  }
  const text = decode(await readBytes(request, bounds));
  if (isTooDeep(text)) throw new BadRequestError(`The body is nested more than ${MAX_DEPTH} levels deep.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the body, which must not appear in answers or logs.
    throw new BadRequestError('The body is not valid JSON.', {
      cause: error instanceof Error ? error.name : error,
    });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new BadRequestError('The body is not UTF-8.');
  }
}

const MAX_DEPTH = 64;

/** Whether arrays and objects are nested too deep for the recursive code that reads them. */
function isTooDeep(json: string): boolean {
  let depth = 0;
  const tokens = /["[\]{}]/g;
  for (let match = tokens.exec(json); match !== null; match = tokens.exec(json)) {
    if (match[0] === '"') tokens.lastIndex = endOfString(json, match.index);
    else if (match[0] === '[' || match[0] === '{') depth += 1;
    else depth -= 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/** The index after a string's closing quote. */
function endOfString(json: string, start: number): number {
  for (let at = json.indexOf('"', start + 1); at >= 0; at = json.indexOf('"', at + 1)) {
    let escapes = 0;
    while (json[at - 1 - escapes] === '\\') escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
  return json.length;
}

async function readBytes(request: Request, { bodyBytes, bodyMs }: BodyBounds): Promise<Uint8Array> {
  const tooLarge = (): LimitError =>
    new LimitError(`The body has more than ${bodyBytes} bytes. Send smaller or fewer images.`, {
      status: 413,
    });
  if (Number(request.headers.get('content-length') ?? 0) > bodyBytes) throw tooLarge();
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TimeoutError(`The body did not arrive within ${bodyMs} ms.`, 408)),
      bodyMs,
    );
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), late]);
      if (done) return Buffer.concat(chunks);
      size += value.length;
      if (size > bodyBytes) throw tooLarge();
      chunks.push(value);
    }
  } catch (error) {
    // Not awaited, because a body may never end.
    reader.cancel().catch(() => undefined);
    if (error instanceof LimitError || error instanceof TimeoutError) throw error;
    throw new BadRequestError('The body ended early.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
