// The file readers: what they accept, and their errors for everything else.

import { readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  imageBase64,
  imageCell,
  imageFile,
  integerCell,
  openFolder,
  parquetTable,
  parsePythonList,
  readJson,
  readJsonLines,
  readJsonRows,
  readTsv,
} from '../src/data/index.js';
import { getTask } from '../src/tasks/index.js';
import { DATASETS } from './data-hub-datasets.js';
import {
  collect,
  hubImage,
  image,
  imageBytes,
  imageText,
  int32,
  parquet,
  text,
  writeFolder,
} from './data-writers.js';

const file = (content: string | Uint8Array, name = 'file'): string =>
  join(writeFolder({ [name]: content }), name);

describe('text files', () => {
  it('JSON lines: empty lines, CRLF, a byte-order mark', async () => {
    const rows = await readJsonLines(file('\uFEFF{"a":1}\r\n\r\n{"a":2}', 'x.jsonl'));
    expect(rows).toEqual([
      { where: 'x.jsonl, line 1', line: 1, values: { a: 1 } },
      { where: 'x.jsonl, line 3', line: 3, values: { a: 2 } },
    ]);
  });
  it.each<[() => Promise<unknown>, RegExp]>([
    [() => readJsonLines(file('{"a":1}\n[2]', 'x.jsonl')), /x\.jsonl, line 2: .*object.*array/],
    [() => readJsonLines(file('{"a":1}\n2', 'x.jsonl')), /line 2: expected a JSON object, got number/],
    [() => readJson(file('{"a":', 'x.json')), /x\.json: is not JSON/],
    [() => readJson('/nowhere/x.json'), /\/nowhere\/x\.json: cannot be read/],
    [() => readJsonRows(file('{"b":[]}', 'x.json'), 'data'), /x\.json: .*'data'/],
    [() => readJsonRows(file('[1]', 'x.json')), /x\.json, entry 1: expected a JSON object, got number/],
    [() => readTsv(file('a\tb\n1\t2\n3', 'x.tsv')), /x\.tsv, line 3: expected 2 cells, got 1/],
    [() => readTsv(file('a\tb\n"1\t2', 'x.tsv')), /x\.tsv, line 2: .*quote/],
    [() => readTsv(file('', 'x.tsv')), /x\.tsv: is empty/],
  ])('says what is wrong: %#', async (read, message) => {
    await expect(read()).rejects.toThrow(message);
  });
  it('TSV: quotes, newlines within cells, empty cells, with and without a last newline', async () => {
    const content = 'a\tb\n"x ""y""\n\tz"\t\n2\tlast';
    const expected = [
      { where: 'x.tsv, line 2', values: { a: 'x "y"\n\tz', b: '' } },
      { where: 'x.tsv, line 4', values: { a: '2', b: 'last' } },
    ];
    expect(await readTsv(file(content, 'x.tsv'))).toEqual(expected);
    expect(await readTsv(file(`${content}\r\n`, 'x.tsv'))).toEqual(expected);
    expect(await readTsv(file('a\tb\n1\t', 'x.tsv'))).toEqual([
      { where: 'x.tsv, line 2', values: { a: '1', b: '' } },
    ]);
  });
});

describe('parquet', () => {
  const columns = { n: int32, name: text, image };
  const rows = Array.from({ length: 10 }, (_, n) => ({ n, name: `row ${n}`, image: hubImage(n) }));
  const table = (): Promise<Awaited<ReturnType<typeof parquetTable>>> =>
    parquetTable([
      file(parquet(columns, rows.slice(0, 6), { rowGroupSize: 2 }), 'a.parquet'),
      file(parquet(columns, rows.slice(6)), 'b.parquet'),
    ]);

  it('is one table over several files and row groups', async () => {
    const { count, rows: read } = await table();
    const all = await collect(read());
    expect(count).toBe(10);
    expect(all.map(({ index, values }) => [index, values.n])).toEqual(rows.map(({ n }) => [n, n]));
    expect(all[7]!.where).toBe('b.parquet, row 2');
    expect((all[7]!.values.image as { bytes: Uint8Array }).bytes).toEqual(imageBytes(7));
  });
  it('reads only what is requested', async () => {
    const some = await collect((await table()).rows({ columns: ['n', 'unknown'], indices: [1, 3, 8] }));
    expect(some.map(({ values }) => values)).toEqual([{ n: 1 }, { n: 3 }, { n: 8 }]);
  });
  it('reads codecs other than snappy', async () => {
    const gzip = parquet({ n: int32 }, rows, {
      codec: 'GZIP',
      compressors: { GZIP: (bytes) => gzipSync(bytes) },
    });
    const read = await collect((await parquetTable([file(gzip, 'a.parquet')])).rows());
    expect(read.map(({ values }) => values.n)).toEqual(rows.map(({ n }) => n));
  });
  it('reads what Arrow writes: zstd, pages of version 2, large strings, lists of structs', async () => {
    const from = fileURLToPath(new URL('data/arrow.parquet', import.meta.url));
    const samples = await collect(getTask('vqav2').load({ from }));
    expect(samples).toHaveLength(12);
    expect(samples[7]).toMatchObject({
      id: '7',
      question: 'Was ist Nr. 7? é 漢',
      kind: 'other',
      target: ['red', 'red', 'red'],
    });
    expect(samples[8]).not.toHaveProperty('kind');
    expect(samples[8]!.target).toEqual([]);
    expect([...(await samples[2]!.images[0]!.read())]).toEqual([0x89, 2, 0x89, 2, 0x89, 2]);
    const some = await collect(getTask('vqav2').load({ from, limit: 5, seed: 1 }));
    expect(some.map(({ question }) => question)).toEqual(some.map(({ id }) => `Was ist Nr. ${id}? é 漢`));
  });
  it('rejects missing, truncated, and damaged files', async () => {
    const whole = parquet(columns, rows);
    await expect(parquetTable(['/nowhere/a.parquet'])).rejects.toMatchObject({ code: 'MMTOK_MISSING_FILE' });
    await expect(parquetTable([writeFolder({})])).rejects.toThrow(/it is a folder/);
    for (const bytes of [whole.slice(0, whole.length - 20), imageBytes(), new Uint8Array()])
      await expect(parquetTable([file(bytes, 'a.parquet')])).rejects.toMatchObject({
        code: 'MMTOK_CORRUPT_FILE',
      });
    const damaged = Uint8Array.from(whole, (byte, index) => (index > 4 && index < 40 ? 255 : byte));
    const { rows: read } = await parquetTable([file(damaged, 'a.parquet')]);
    await expect(collect(read())).rejects.toThrow(/a\.parquet, rows 1 to 10: cannot be read/);
  });
});

describe('images', () => {
  it('can be bytes, base64, a data URL, or a struct', async () => {
    const forms = [
      imageBytes(1),
      imageText(1),
      `data:image/png;base64,${imageText(1)}`,
      hubImage(1),
      imageFile(file(imageBytes(1))),
    ];
    for (const form of forms)
      expect(Buffer.from(await imageCell.parse(form).read())).toEqual(Buffer.from(imageBytes(1)));
  });
  it.each([[null], [7], ['not base64!'], [{ path: 'a.png' }], [{ bytes: null }]])(
    'and nothing else: %j',
    (form) => {
      expect(imageCell.safeParse(form).error?.issues[0]?.message).toMatch(/expected an image/);
    },
  );
  it('are read lazily, and reported missing only then', async () => {
    const source = imageFile('/nowhere/a.png');
    await expect(source.read()).rejects.toThrow(/\/nowhere\/a\.png/);
    expect(imageBase64('?')).toBeNull();
  });
});

describe('folders', () => {
  it('find images by name and by path, never by the end of a name', async () => {
    const folder = await openFolder(
      writeFolder({ 'x/1/image.png': imageBytes(1), 'x/11/image.png': imageBytes(2) }),
    );
    expect(folder.image('11/image.png', 'here').path).toMatch(/x\/11\/image\.png$/);
    expect(() => folder.image('mage.png', 'here')).toThrow(/'mage\.png'.* here/);
    expect(folder.find(/1\/image/)).toHaveLength(2);
    expect(() => folder.image('image.png', 'line 3')).toThrow(
      /line 3: 'image\.png' .*x\/1\/image\.png or x\/11\/image\.png/,
    );
  });
});

describe('cells and lists', () => {
  it('integers may be numbers, bigints, or text', () => {
    expect([7, 7n, '7', '-7'].map((cell) => integerCell.parse(cell))).toEqual([7, 7, 7, -7]);
    for (const cell of ['7.5', 7.5, '', null, 2n ** 60n])
      expect(integerCell.safeParse(cell).success).toBe(false);
  });
  it.each(['', 'a', "['a'", "['a' , ", "['a',,]", "['a'] x", '[a]', "['a\nb']", '[1]', "['a' b]"])(
    'is no list of texts: %s',
    (literal) => {
      expect(parsePythonList(literal)).toBeNull();
    },
  );
});

describe('the Hub', () => {
  let server: Server | undefined;
  afterEach(() => {
    server?.close();
    vi.unstubAllEnvs();
  });

  /** Serves one dataset as the Hub does: a list of files, and ranges of files. */
  async function serve(listing: (origin: string, url: string) => unknown, path: string): Promise<string[]> {
    const requests: string[] = [];
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`);
      if (request.url?.startsWith('/api/')) {
        const body = listing(`http://${request.headers.host}`, request.url);
        const next = (body as { next?: string } | undefined)?.next;
        const headers = next === undefined ? {} : { link: `<${next}>; rel="next"` };
        response.writeHead(body === undefined ? 404 : 200, headers).end(JSON.stringify(body));
        return;
      }
      const size = statSync(path).size;
      const [start = 0, end = size - 1] = (request.headers.range?.match(/\d+/g) ?? []).map(Number);
      const body = readFileSync(path).subarray(start, end + 1);
      response.writeHead(request.headers.range === undefined ? 200 : 206, {
        'accept-ranges': 'bytes',
        'content-length': body.length,
        'content-range': `bytes ${start}-${end}/${size}`,
      });
      response.end(request.method === 'HEAD' ? undefined : body);
    });
    await new Promise<void>((resolve) => {
      server!.listen(0, '127.0.0.1', resolve);
    });
    vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return requests;
  }

  const { columns, row } = DATASETS.chartqa!;
  const path = file(parquet(columns, [{ ...row, image: hubImage() }]), '0.parquet');

  it('is used when no files are given', async () => {
    const requests = await serve(
      () => [
        { type: 'directory', path: 'data' },
        { type: 'file', path: 'README.md' },
        { type: 'file', path: 'data/val-00000-of-00001.parquet' },
        { type: 'file', path: 'data/test-00000-of-00001.parquet' },
      ],
      path,
    );
    const samples = await collect(getTask('chartqa').load());
    expect(samples.map(({ question }) => question)).toEqual(['How many?']);
    expect(requests[0]).toBe('GET /api/datasets/lmms-lab/ChartQA/tree/main?recursive=true');
    expect(new Set(requests.slice(1).map((request) => request.split(' ')[1]))).toEqual(
      new Set(['/datasets/lmms-lab/ChartQA/resolve/main/data/test-00000-of-00001.parquet']),
    );
  });
  it('is queried until there are no more files', async () => {
    await serve((origin, url) => {
      const second = url.includes('cursor');
      return Object.assign([{ type: 'file', path: `data/test-0000${Number(second)}-of-00002.parquet` }], {
        next: second ? undefined : `${origin}/api/datasets/lmms-lab/ChartQA/tree/main?cursor=x`,
      });
    }, path);
    expect(await collect(getTask('chartqa').load())).toHaveLength(2);
  });
  it.each<[unknown, RegExp]>([
    [undefined, /api\/datasets\/lmms-lab\/ChartQA\/tree\/main\?recursive=true: the Hub answered 404/],
    [{ error: 'no' }, /list of files/],
    [[], /datasets\/lmms-lab\/ChartQA: has no parquet files/],
  ])('may return an error: %j', async (listing, message) => {
    await serve(() => listing, path);
    await expect(collect(getTask('chartqa').load())).rejects.toThrow(message);
  });
  it('may be unreachable', async () => {
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1');
    await expect(collect(getTask('chartqa').load())).rejects.toThrow(
      /cannot be reached\. Check the connection/,
    );
  });
  it('can be addressed file by file', async () => {
    await serve(() => undefined, path);
    const url = `${process.env.HF_ENDPOINT}/files/0.parquet`;
    expect(await collect(getTask('chartqa').load({ from: url }))).toHaveLength(1);
    expect(await collect(getTask('chartqa').load({ from: [url, path] }))).toHaveLength(2);
    await expect(collect(getTask('chartqa').load({ from: ['a.json'] }))).rejects.toThrow(
      /a\.json: .*parquet/,
    );
  });
});

describe('several splits and configurations in one folder', () => {
  it('are distinguished by their nearest folders', async () => {
    const { columns, row } = DATASETS.docvqa!;
    const write = (question: string): Uint8Array =>
      parquet(columns, [{ ...row, question, image: hubImage() }]);
    const from = writeFolder({
      'DocVQA/DocVQA/validation/0000.parquet': write('right'),
      'DocVQA/DocVQA/test/0000.parquet': write('wrong'),
      'DocVQA/InfographicVQA/validation/0000.parquet': write('wrong'),
      'DocVQA/InfographicVQA/validation-00000-of-00001.parquet': write('wrong'),
    });
    const samples = await collect(getTask('docvqa').load({ from }));
    expect(samples.map(({ question }) => question)).toEqual(['right']);
  });
  it('are distinguished by their names', async () => {
    const { columns, row } = DATASETS.pope!;
    const write = (question: string): Uint8Array =>
      parquet(columns, [{ ...row, question, image: hubImage() }]);
    const from = writeFolder({
      'default/test-00000-of-00001.parquet': write('right'),
      'default/dev-00000-of-00001.parquet': write('wrong'),
      'Full/test-00000-of-00001.parquet': write('wrong'),
    });
    const samples = await collect(getTask('pope').load({ from }));
    expect(samples.map(({ question }) => question)).toEqual(['right']);
  });
});
