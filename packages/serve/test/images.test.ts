// Checks of images before decoding: sizes from headers, and which addresses may be fetched.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { readImageHeader } from '../src/images/header.js';
import { loadImages } from '../src/images/load.js';
import { fetchImage, isAllowed, isPublicAddress, type RemoteImageOptions } from '../src/images/remote.js';
import { gif, jpeg, png, webp } from './support/image-files.js';

describe('readImageHeader', () => {
  const image = sharp({ create: { width: 37, height: 21, channels: 3, background: '#336699' } });
  test.each(['png', 'jpeg', 'gif', 'webp'] as const)('reads what sharp writes: %s', async (format) => {
    const bytes = await image.clone().toFormat(format).toBuffer();
    expect(readImageHeader(bytes)).toEqual({ mediaType: `image/${format}`, width: 37, height: 21 });
  });

  test('reads lossless, extended, and progressive files', async () => {
    const lossless = await image.clone().webp({ lossless: true }).toBuffer();
    const alpha = await image.clone().ensureAlpha(0.5).webp().toBuffer();
    const progressive = await image.clone().jpeg({ progressive: true }).withMetadata().toBuffer();
    for (const bytes of [lossless, alpha, progressive]) {
      expect(readImageHeader(bytes)).toMatchObject({ width: 37, height: 21 });
    }
  });

  test.each([
    ['PNG', png(70_000, 50_000)],
    ['GIF', gif(65_535, 65_535)],
    ['JPEG', jpeg(65_500, 65_500)],
    ['WebP', webp('VP8X', 16_000_000, 16_000_000)],
    ['WebP', webp('VP8L', 16_000, 16_000)],
    ['WebP', webp('VP8 ', 16_000, 16_000)],
  ])('returns the size that a huge %s claims', (_, bytes) => {
    const { width = 0, height = 0 } = readImageHeader(bytes) ?? {};
    expect(width * height).toBeGreaterThan(2e8);
  });

  test('anything else is rejected, whatever its length', () => {
    for (const bytes of [png(5, 5), jpeg(5, 5), gif(5, 5), webp('VP8X', 5, 5)]) {
      for (let length = 0; length < 30; length++) {
        const header = readImageHeader(bytes.subarray(0, length));
        if (header !== undefined) expect(header).toMatchObject({ width: 5, height: 5 });
      }
    }
    for (const text of [
      '',
      '<svg width="5"/>',
      'BM',
      '%PDF',
      '\xff\xd8\xff\xff\xff\xff',
      '\xff\xd8\xff\xe1\0\0\0\0',
    ]) {
      expect(readImageHeader(Buffer.from(text, 'latin1'))).toBeUndefined();
    }
  });
});

test('public addresses', () => {
  const open = ['8.8.8.8', '93.184.216.34', '2606:4700::1111', '172.32.0.1', '2a00:1450::1'];
  const closed = [
    '127.0.0.1',
    '127.8.9.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '0.0.0.0',
    '100.64.0.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fc00::1',
    'fd12::1',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001::1',
    '2001:db8::1',
    '::7f00:1',
  ];
  for (const address of open) expect(isPublicAddress(address), address).toBe(true);
  for (const address of closed) expect(isPublicAddress(address), address).toBe(false);
});

test('the allow list matches scheme, host, and port', () => {
  const allow = [
    'images.example.com',
    '*.cdn.example.com',
    'other.example.com:8443',
    'http://plain.example.com',
    'explicit.example.com:443',
  ];
  const open = [
    'https://images.example.com/a.png',
    'https://IMAGES.example.com',
    'https://a.cdn.example.com',
    'https://a.b.cdn.example.com',
    'https://other.example.com:8443',
    'http://plain.example.com',
    'https://images.example.com:443/',
    'https://explicit.example.com/',
  ];
  const closed = [
    'http://images.example.com',
    'https://cdn.example.com',
    'https://xcdn.example.com',
    'https://images.example.com.evil.com',
    'https://images.example.com:8443',
    'https://other.example.com',
    'https://plain.example.com',
    'https://evil.com/images.example.com',
    'https://images.example.com.',
    'https://images.example.com%2eevil.com',
  ].filter((url) => URL.canParse(url));
  for (const url of open) expect(isAllowed(new URL(url), allow), url).toBe(true);
  for (const url of closed) expect(isAllowed(new URL(url), allow), url).toBe(false);
});

test('the error names the image that may not be fetched', async () => {
  const bounds = { images: 8, pixels: 1e6, bodyBytes: 1e6, imageFetchMs: 1000 };
  const remote = { allow: ['images.example.com'] };
  const sources = [{ url: 'https://other.example.com/x.png', param: 'messages[0].content[1].image_url.url' }];
  await expect(
    loadImages(sources, { bounds, remote, signal: new AbortController().signal }),
  ).rejects.toMatchObject({ status: 400, code: 'MMTOK_BAD_REQUEST', param: sources[0]?.param });
});

describe('fetchImage', () => {
  const servers: Server[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
  });
  const listen = async (answer: RequestListener): Promise<number> => {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return (server.address() as AddressInfo).port;
  };
  const loopback = async () => [{ address: '127.0.0.1', family: 4 }];
  const fetchWith = (url: string, options: RemoteImageOptions, bounds: object = {}): Promise<Uint8Array> =>
    fetchImage(url, options, {
      maxBytes: 1000,
      timeoutMs: 120_000,
      signal: new AbortController().signal,
      lookup: loopback,
      ...bounds,
    });

  test('fetches from an allowed host, over redirects to allowed hosts', async () => {
    const port = await listen((request, response) => {
      if (request.url === '/moved') response.writeHead(302, { location: '/image' }).end();
      else response.end(`image for ${request.headers.host}`);
    });
    const options = { allow: [`http://images.test:${port}`], allowPrivateAddresses: true };
    const bytes = await fetchWith(`http://images.test:${port}/moved`, options);
    expect(Buffer.from(bytes).toString()).toBe(`image for images.test:${port}`);
  });

  test('rejects a private address of an allowed name, also if it is one of several', async () => {
    let asked = 0;
    const port = await listen((_, response) => {
      asked += 1;
      response.end('secret');
    });
    const options = { allow: [`http://images.test:${port}`, `http://127.0.0.1:${port}`] };
    await expect(fetchWith(`http://images.test:${port}/`, options)).rejects.toMatchObject({ status: 400 });
    await expect(fetchWith(`http://127.0.0.1:${port}/`, options)).rejects.toMatchObject({ status: 400 });
    const mixed = async () => [
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ];
    await expect(fetchWith(`http://images.test:${port}/`, options, { lookup: mixed })).rejects.toMatchObject({
      status: 400,
    });
    expect(asked).toBe(0);
  });

  test('looks up a name once, and connects to the address that was checked', async () => {
    const port = await listen((_, response) => void response.end('image'));
    let lookups = 0;
    const rebinding = async () => {
      lookups += 1;
      return [{ address: lookups === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }];
    };
    const options = { allow: [`http://images.test:${port}`], allowPrivateAddresses: true };
    await fetchWith(`http://images.test:${port}/`, options, { lookup: rebinding });
    expect(lookups).toBe(1);
  });

  test('rejects redirects to other hosts and schemes, and redirect loops', async () => {
    let target = '';
    let other = 0;
    const port = await listen((_, response) => void response.writeHead(302, { location: target }).end());
    const secret = await listen((_, response) => {
      other += 1;
      response.end('secret');
    });
    const options = { allow: [`http://images.test:${port}`], allowPrivateAddresses: true };
    for (target of [
      `http://127.0.0.1:${secret}/`,
      `http://images.test:${secret}/`,
      `http://localhost:${secret}/`,
      'file:///etc/passwd',
      'http://169.254.169.254/latest/meta-data',
      `//evil.test:${secret}/`,
      `http://images.test:${port}/again`,
      'gopher://x',
      `http://user:pass@images.test:${port}/`,
    ]) {
      await expect(fetchWith(`http://images.test:${port}/`, options), target).rejects.toMatchObject({
        status: 400,
      });
    }
    expect(other).toBe(0);
  });

  test('rejects large, endless, slow, compressed, and missing files', async () => {
    const port = await listen((request, response) => {
      if (request.url === '/large')
        response.writeHead(200, { 'content-length': '5000' }).end(Buffer.alloc(5000));
      else if (request.url === '/endless') {
        const timer = setInterval(() => response.write(Buffer.alloc(300)), 5);
        response.on('close', () => clearInterval(timer));
      } else if (request.url === '/compressed')
        response.writeHead(200, { 'content-encoding': 'gzip' }).end('x');
      else if (request.url === '/missing') response.writeHead(404).end();
    });
    const options = { allow: [`http://images.test:${port}`], allowPrivateAddresses: true };
    const at = (path: string, bounds = {}) => fetchWith(`http://images.test:${port}${path}`, options, bounds);
    await expect(at('/large')).rejects.toMatchObject({ status: 413 });
    await expect(at('/endless')).rejects.toMatchObject({ status: 413 });
    await expect(at('/compressed')).rejects.toMatchObject({ status: 400 });
    await expect(at('/missing')).rejects.toMatchObject({ status: 400 });
    await expect(at('/slow', { timeoutMs: 100 })).rejects.toMatchObject({ status: 408 });
  });

  test('gives up in time on a name that never resolves', async () => {
    const lookup = () => new Promise<never>(() => undefined);
    const options = { allow: ['images.test'] };
    const fetched = fetchWith('https://images.test/', options, { lookup, timeoutMs: 100 });
    await expect(fetched).rejects.toMatchObject({ status: 408 });
  });
});
