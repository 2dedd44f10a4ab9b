// Requests that no honest client sends, each of which must get a 4xx.

import { gzipSync } from 'node:zlib';
import { imageAnd, PIXEL } from './fakes.js';
import { badAddresses, badDataUris } from './hostile-images.js';
import { dataUri, png } from './image-files.js';

/** A request that must be rejected. */
export interface Hostile {
  readonly name: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

const good = { model: 'tiny', messages: [{ role: 'user', content: imageAnd('what is this') }] };
const withFields = (name: string, fields: object): Hostile => ({
  name,
  body: JSON.stringify({ ...good, ...fields }),
});
const withContent = (name: string, content: unknown, role = 'user'): Hostile =>
  withFields(name, { messages: [{ role, content }] });
const withUrl = (name: string, url: unknown): Hostile =>
  withContent(name, [
    { type: 'image_url', image_url: { url } },
    { type: 'text', text: 'what' },
  ]);

/** About 500 requests, the same in every run. */
export function hostileRequests(): readonly Hostile[] {
  return [...badJson(), ...badFields(), ...badParts(), ...badImages(), ...badPaths(), ...badHeaders()];
}

function badJson(): Hostile[] {
  const whole = JSON.stringify(good);
  const cut = Array.from({ length: 90 }, (_, index) =>
    whole.slice(0, Math.floor((whole.length * index) / 90)),
  );
  const texts = [
    ...cut,
    'null',
    '[]',
    '1',
    '"text"',
    'NaN',
    '{',
    '}',
    '{"model":NaN}',
    "{'model':'tiny'}",
    'undefined',
    `${whole}x`,
    `${whole}${whole}`,
    '{"__proto__":{"model":"tiny"}}',
    '{"constructor":{"prototype":{}}}',
    '\ufeff\ufeff{}',
    '{"model":"\\ud800',
    '[[[[',
    `{"a":${'['.repeat(200_000)}`,
    `{"model":"tiny","messages":[{"role":"user","content":"x"}],"deep":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    `{"model":"tiny","messages":[{"role":"user","content":"x"}],"deep":${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}}`,
    whole.replace('"tiny"', '1e999'),
    whole.replace('"tiny"', 'Infinity'),
    whole.replace('"tiny"', '-NaN'),
  ];
  return [
    ...texts.map((body, index) => ({ name: `json ${index}`, body })),
    { name: 'no UTF-8', body: Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]) },
    { name: 'NUL', body: Buffer.alloc(2000) },
    { name: 'too large', body: `{"model":"${'x'.repeat(300_000)}"}` },
  ];
}

function badFields(): Hostile[] {
  const wrong: Readonly<Record<string, readonly unknown[]>> = {
    model: [null, 1, '', {}, [], 'gpt-4', '../tiny', 'tiny\0', 'x'.repeat(10_000), '__proto__'],
    messages: [
      null,
      {},
      [],
      'x',
      [null],
      [[]],
      [{}],
      [{ role: 'user' }],
      [{ role: 'root', content: 'x' }],
      [{ role: 'user', content: 5 }],
      [{ role: 'user', content: [] }],
      [{ role: 'user', content: null }],
      { length: 1e9 },
    ],
    n: [0, -1, 1.5, 1e9, '2', {}, [1], true],
    max_tokens: [0, -1, 1e12, '10', 1.5, {}, 4097, true],
    max_completion_tokens: [0, -5, 1e12, 'many', [], 0.5],
    temperature: [-1, 3, 'hot', {}, [], 1e308, true],
    top_p: [0, -0.1, 2, 'x', {}, []],
    stop: [5, {}, [1], [''], ['a', 'b', 'c', 'd', 'e'], '', [[]]],
    stream: ['yes', 1, {}, []],
    stream_options: [true, 'x', [1], { include_usage: 'yes' }],
    mmtok: [
      true,
      5,
      'off',
      [],
      { keep: 0 },
      { keep: -1 },
      { keep: 1.5 },
      { keep: 'all' },
      { keep: null },
      { keep: {} },
      { keep: { tokens: 0 } },
      { keep: { tokens: 1.5 } },
      { keep: { ratio: 2 } },
      { keep: { coverage: 0 } },
      { keep: { tokens: 5, ratio: 0.5 } },
      { question: '' },
      { question: 5 },
      { question: 'x'.repeat(30_000) },
      { agent: true },
      { tiles: 5 },
      { tiles: { max: 0 } },
      { agent: 'http://evil' },
      { select: 'x' },
      { budget: { tokens: 1 } },
      { positions: 'preserve' },
      { __proto__: null, toString: 1 },
    ],
    prompt_embeds: ['AAAA', null],
    image_embeds: ['AAAA'],
    multi_modal_data: [{}],
    mm_processor_kwargs: [{}],
    media_io_kwargs: [{}],
    kv_transfer_params: [{}],
    chat_template: ['{{ x }}'],
  };
  return Object.entries(wrong).flatMap(([field, values]) =>
    values.map((value, index) => withFields(`${field} ${index}`, { [field]: value })),
  );
}

function badParts(): Hostile[] {
  const text = { type: 'text', text: 'x' };
  const parts: readonly unknown[] = [
    { type: 'image_embeds', image_embeds: 'AAAA' },
    { image_embeds: 'AAAA' },
    { type: 'prompt_embeds', data: 'AAAA' },
    { type: 'video_url', video_url: { url: 'http://169.254.169.254/' } },
    { video_url: 'http://127.0.0.1/' },
    { type: 'audio_url', audio_url: { url: 'file:///etc/passwd' } },
    { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
    { type: 'file', file: { file_id: '1' } },
    { type: 'image_pil', image_pil: 'x' },
    { type: 'image' },
    { image_url: { url: PIXEL } },
    { image_url: PIXEL },
    { type: 'image_url', image_url: PIXEL },
    { type: 'image_url' },
    { type: 'image_url', image_url: null },
    { type: 'image_url', image_url: {} },
    { type: 'image_url', image_url: { url: PIXEL }, uuid: 'known' },
    { type: 'image_url', image_url: { url: PIXEL, extra: 1 } },
    { type: 'image_url', image_url: { url: PIXEL, detail: 'max' } },
    { type: 'text' },
    { type: 'text', text: 5 },
    { type: 'text', text: 'x', image_embeds: 'AAAA' },
    { type: 'text', text: 'x', image_url: { url: 'http://127.0.0.1' } },
    { type: 'toString' },
    { type: '__proto__' },
    {},
    null,
    'text',
    5,
    [],
  ];
  return [
    ...parts.map((part, index) => withContent(`part ${index}`, [part, text])),
    ...parts
      .slice(0, 12)
      .map((part, index) => withContent(`part ${index} of the system`, [part, text], 'system')),
    ...parts.slice(0, 12).map((part, index) => withContent(`part ${index} of a tool`, [part, text], 'tool')),
    withContent('an image of the system', imageAnd('x'), 'system'),
    withContent('an image of the assistant', imageAnd('x'), 'assistant'),
    withContent(
      '100 images',
      Array.from({ length: 100 }, () => imageAnd('x')[0]),
    ),
    withContent(
      '9 images',
      Array.from({ length: 9 }, () => imageAnd('x')[0]),
    ),
    withFields('9 images in messages', { messages: Array.from({ length: 9 }, () => good.messages[0]) }),
    withContent('a long text', 'x'.repeat(60_000)),
  ];
}

function badImages(): Hostile[] {
  const half = { type: 'image_url', image_url: { url: dataUri(png(5_500, 5_500)) } };
  return [
    ...[...badDataUris(), ...badAddresses()].map(([name, url]) => withUrl(name, url)),
    withContent('too many pixels together', [half, half]),
  ];
}

function badPaths(): Hostile[] {
  const paths = [
    '/',
    '/v1',
    '/v1/',
    '/v1/chat',
    '/v1/chat/completions/',
    '/v1/chat/completions/x',
    '/v1//chat/completions',
    '/v1/chat/completions%00',
    '/V1/CHAT/COMPLETIONS',
    '/v1/completions',
    '/v1/embeddings',
    '/v1/load_lora_adapter',
    '/inference/v1/generate',
    '/collective_rpc',
    '/tokenize',
    '/invocations',
    '/../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/v1/models/../../../etc/passwd',
    '/v1/models/..%2f..',
    '/v1/models/gpt',
    '/v1/models/%00',
    '/v1/models/%ff',
    '/.env',
    '/.git/config',
    '/metrics/../admin',
    '/admin',
    `/${'a'.repeat(5000)}`,
    '/wp-login.php',
    '/v1/files',
    '/docs',
    '/openapi.json',
  ];
  return [
    ...paths.map((path) => ({ name: `GET ${path.slice(0, 50)}`, path, method: 'GET' })),
    ...paths.slice(0, 12).map((path) => ({ name: `POST ${path}`, path, body: JSON.stringify(good) })),
    ...['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'].map((method) => ({
      name: `${method} chat`,
      method,
    })),
    ...['POST', 'PUT', 'DELETE'].map((method) => ({ name: `${method} health`, method, path: '/health' })),
  ];
}

function badHeaders(): Hostile[] {
  const body = JSON.stringify(good);
  const type = 'application/json';
  const bomb = gzipSync(Buffer.alloc(10_000_000, ' '));
  return [
    ...[
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/jsonp',
      'text/json',
      '',
    ].map((each) => ({ name: `type ${each}`, headers: { 'content-type': each }, body })),
    ...['gzip', 'deflate', 'br', 'zstd', 'gzip, gzip', 'x'].map((each) => ({
      name: `encoding ${each}`,
      headers: { 'content-type': type, 'content-encoding': each },
      body: bomb,
    })),
    { name: 'host', headers: { 'content-type': type, host: 'evil.example.com' }, body },
    { name: 'host with a port', headers: { 'content-type': type, host: '127.0.0.1.evil.com:80' }, body },
    { name: 'huge header', headers: { 'content-type': type, cookie: 'x'.repeat(20_000) }, body },
  ];
}
