// A fake vLLM server, made from recordings of the chat API (vLLM 0.32.0, tiny LLaVA and Qwen2-VL checkpoints). It reads rows as
// vLLM does, rejects what vLLM rejects, replays the recorded answers, and fails on demand.

import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readTorchFile } from './read-torch.js';

interface Recorded {
  readonly status: number;
  readonly text?: string;
  readonly error: string | null;
  readonly usage?: { readonly prompt_tokens: number };
}

const record = (name: string): Readonly<Record<string, Recorded>> =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'));

/** Answers of vLLM to the tiny LLaVA. */
export const llava = record('vllm-llava');
/** Answers of vLLM to the tiny Qwen2-VL. */
export const qwen = record('vllm-qwen2vl');

export const HIDDEN = 128;
const MERGE = 2;
const MAX_LENGTH = 2048;
/** Rows of an image that the server encodes itself. */
const IMAGE_TOKENS = { llava: 576, qwen: 192 };
const TEMPLATE_TOKENS = { llava: 3, qwen: 7 };
/** Tokens of the recorded question, without the template. */
export const QUESTION = 'what is on the table ?';

/** What goes wrong with the next chat requests. */
export type Fault =
  | 'none'
  | 'error'
  | 'slow'
  | 'hang'
  | 'cut'
  | 'cut-after-marker'
  | 'reset'
  | 'reject-key'
  | 'refuse-images';

/** A running fake. */
export interface FakeVllm {
  readonly url: string;
  /** Chat requests in order of arrival, parsed. */
  readonly requests: { readonly body: Body; readonly headers: IncomingMessage['headers'] }[];
  /** Sets what goes wrong, for `times` requests if given. */
  fail(fault: Fault, times?: number): void;
  isDead: boolean;
  /** Whether a client disconnected before its answer. */
  aborted: number;
  /** Requests that broke the recorded wire format. */
  readonly violations: string[];
  close(): Promise<void>;
}

interface Body {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content?: string | readonly Part[] | null }[];
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly [field: string]: unknown;
}

type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string } }
  | { readonly type: 'prompt_embeds'; readonly data: string }
  | {
      readonly type: 'image_embeds';
      readonly image_embeds: string | { readonly image_embeds: string; readonly image_grid_thw?: string };
    };

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Options of {@link startFakeVllm}. */
export interface FakeVllmOptions {
  readonly family?: 'llava' | 'qwen';
  readonly apiKey?: string;
}

/** Starts a fake on a free port of 127.0.0.1. */
export async function startFakeVllm(options: FakeVllmOptions = {}): Promise<FakeVllm> {
  const { family = 'llava', apiKey } = options;
  let fault: Fault = 'none';
  let faults = 0;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      const status = error instanceof Refusal ? error.status : 500;
      if (!(error instanceof Refusal)) fake.violations.push(String(error));
      sendError(response, status, error instanceof Error ? error.message : String(error));
    });
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === '/health') {
      response.writeHead(fake.isDead ? 503 : 200).end();
      return;
    }
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`) {
      throw new Refusal(401, 'Unauthorized');
    }
    if (request.url === '/v1/models') return sendJson(response, { object: 'list', data: [{ id: 'tiny' }] });
    if (request.url !== '/v1/chat/completions') throw new Refusal(404, 'Not Found');
    const body = JSON.parse(Buffer.concat(chunks).toString()) as Body;
    fake.requests.push({ body, headers: request.headers });
    if (fake.isDead) throw new Refusal(500, qwen.a2?.error ?? '');
    const now = fault;
    if (fault !== 'none' && fault !== 'refuse-images' && --faults === 0) fault = 'none';
    if (now === 'error') throw new Refusal(500, 'Internal server error');
    if (now === 'reject-key') throw new Refusal(401, 'Unauthorized');
    if (now === 'hang') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"choices":[]}\n\n');
      return;
    }
    if (now === 'cut-after-marker') {
      const said = { choices: [{ index: 0, delta: { content: 'data: [DONE]' } }] };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${JSON.stringify(said)}\n\n`);
      setTimeout(() => response.destroy(), 5);
      return;
    }
    if (now === 'reset') {
      request.socket.destroy();
      return;
    }
    if (now === 'slow') {
      await new Promise<void>((done) => {
        const timer = setTimeout(done, 120_000);
        response.on('close', () => {
          if (!response.writableEnded) fake.aborted += 1;
          clearTimeout(timer);
          done();
        });
      });
      if (response.destroyed) return;
    }
    const answer = reply(body, now === 'refuse-images');
    await (body.stream === true
      ? sendStream(response, body, answer, now === 'cut')
      : now === 'cut'
        ? cutJson(response)
        : sendJson(response, completion(body, answer)));
  }

  /** Reads the messages as vLLM does. @throws Refusal for what vLLM rejects; Error for what was never sent to it. */
  function reply(
    body: Body,
    refuseImages: boolean,
  ): { readonly text: string; readonly promptTokens: number } {
    if (body.model !== 'tiny') throw new Refusal(404, `The model \`${body.model}\` does not exist.`);
    if ('mmtok' in body) fake.violations.push('the field mmtok was sent');
    const rowCounts: number[] = [];
    let mark = '';
    let question = '';
    const take = (file: string): readonly number[] => {
      if (!/^[A-Za-z0-9+/]+={0,2}$/.test(file)) throw new Refusal(400, llava.x_b64?.error ?? '');
      const { storage, shape, data } = readTorchFile(Buffer.from(file, 'base64'));
      if (storage !== 'BFloat16Storage' && storage !== 'HalfStorage') throw new Error(`rows in ${storage}`);
      if (shape.length !== 2) throw new Error(`rows of shape ${shape}`);
      const [rows = 0, width = 0] = shape;
      if (rows === 0) throw new Refusal(500, llava.x_zero?.error ?? '');
      if (width !== HIDDEN) throw new Refusal(400, llava.x_hidden?.error ?? '');
      const mask = storage === 'HalfStorage' ? 0x7c00 : 0x7f80;
      for (let at = 0; at < data.length; at += 2) {
        if ((data.readUInt16LE(at) & mask) === mask) fake.violations.push('a number that is not finite');
      }
      if (rows < IMAGE_TOKENS[family]) mark += `/${data.readUInt16LE(0)}`;
      rowCounts.push(rows);
      return shape;
    };
    for (const { content } of body.messages) {
      if (typeof content === 'string') question = content;
      else
        for (const part of content ?? []) {
          if (part.type === 'text') question = part.text;
          else if (part.type === 'prompt_embeds') take(part.data);
          else if (part.type === 'image_url') {
            if (refuseImages) throw new Refusal(400, llava.a?.error ?? '');
            if (!part.image_url.url.startsWith('data:')) fake.violations.push('an address to fetch');
            rowCounts.push(IMAGE_TOKENS[family]);
          } else if (family === 'llava') {
            if (typeof part.image_embeds !== 'string') throw new Error('a grid for LLaVA');
            take(part.image_embeds);
          } else {
            if (typeof part.image_embeds === 'string') throw new Refusal(400, qwen.b_nogrid?.error ?? '');
            const { image_embeds, image_grid_thw } = part.image_embeds;
            if (image_grid_thw === undefined) throw new Refusal(400, qwen.b_dict_nogrid?.error ?? '');
            const [rows = 0] = take(image_embeds);
            const grid = readTorchFile(Buffer.from(image_grid_thw, 'base64'));
            if (grid.storage !== 'LongStorage' || grid.shape.join() !== '3') throw new Error('a wrong grid');
            const area = [0, 8, 16].reduce(
              (product, at) => product * Number(grid.data.readBigInt64LE(at)),
              1,
            );
            if (area !== rows * MERGE * MERGE) {
              fake.isDead = true;
              throw new Refusal(500, qwen.x_mismatch?.error ?? '');
            }
          }
        }
    }
    const rows = rowCounts.reduce((sum, count) => sum + count, 0);
    const promptTokens = TEMPLATE_TOKENS[family] + question.split(' ').length + rows;
    if (promptTokens > MAX_LENGTH) {
      throw new Refusal(400, `Input length (${promptTokens}) exceeds model's maximum context length (2048).`);
    }
    if (question === QUESTION && family === 'llava') {
      const known = { '576': llava.b, '57': llava.c, '57,9': llava.two }[rowCounts.join()];
      if (known !== undefined) return { text: known.text ?? '', promptTokens };
    }
    return { text: `${question} rows ${rowCounts.join('+')}${mark}`, promptTokens };
  }

  const fake: FakeVllm = {
    url: '',
    requests: [],
    isDead: false,
    aborted: 0,
    violations: [],
    fail(next, times = 1) {
      fault = next;
      faults = times;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(fake, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

interface Answer {
  readonly text: string;
  readonly promptTokens: number;
}

const usageOf = ({ promptTokens }: Answer) => ({
  prompt_tokens: promptTokens,
  total_tokens: promptTokens + 16,
  completion_tokens: 16,
  prompt_tokens_details: null,
});

function completion({ model }: Body, answer: Answer): unknown {
  const message = { role: 'assistant', content: answer.text, refusal: null, tool_calls: [], reasoning: null };
  return {
    id: 'chatcmpl-upstream',
    object: 'chat.completion',
    created: 1_764_000_000,
    model,
    choices: [
      { index: 0, message, logprobs: null, finish_reason: 'length', stop_reason: null, token_ids: null },
    ],
    usage: usageOf(answer),
    kv_transfer_params: null,
  };
}

/** The stream of an answer, as the fake sends it. */
export function streamOf(body: Pick<Body, 'model' | 'stream_options'>, answer: Answer): string {
  const common = {
    id: 'chatcmpl-upstream',
    object: 'chat.completion.chunk',
    created: 1_764_000_000,
    model: body.model,
  };
  const events: unknown[] = [
    { ...common, choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] },
    ...answer.text.split(/(?= )/).map((content) => ({
      ...common,
      choices: [{ index: 0, delta: { content }, logprobs: null, finish_reason: null }],
    })),
    {
      ...common,
      choices: [{ index: 0, delta: { content: '' }, finish_reason: 'length', stop_reason: null }],
    },
  ];
  if (body.stream_options?.include_usage === true)
    events.push({ ...common, choices: [], usage: usageOf(answer) });
  return `${events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')}data: [DONE]\n\n`;
}

async function sendStream(
  response: ServerResponse,
  body: Body,
  answer: Answer,
  isCut: boolean,
): Promise<void> {
  const text = streamOf(body, answer);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  const middle = Math.floor(text.length / 2);
  response.write(text.slice(0, middle));
  await new Promise((done) => setTimeout(done, 5));
  if (isCut) response.destroy();
  else response.end(text.slice(middle));
}

function cutJson(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
  response.write('{"id": "chatcmpl-');
  setTimeout(() => response.destroy(), 5);
}

function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

function sendError(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.destroy();
  const type = status < 500 ? 'BadRequestError' : 'InternalServerError';
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(JSON.stringify({ error: { message, type, param: null, code: status } }));
}
