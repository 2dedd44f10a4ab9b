// Values of an image's `url` that no honest client sends.

import { gzipSync } from 'node:zlib';
import { PIXEL } from './fakes.js';
import { dataUri, gif, jpeg, png, webp } from './image-files.js';

/** A value with a name for the test. */
export type NamedUrl = readonly [name: string, url: unknown];

/** Data URIs that are not images, claim absurd sizes, or are cut short. */
export function badDataUris(): NamedUrl[] {
  const huge: readonly (readonly [number, number])[] = [
    [65_535, 65_535],
    [30_000, 30_000],
    [8_000, 8_000],
    [16_383, 5_000],
    [0, 5],
    [5, 0],
    [0, 0],
    [1, 5_000],
    [5_000, 1],
  ];
  const bombs = huge.flatMap(([width, height]) => [
    dataUri(png(width, height)),
    dataUri(gif(width, height)),
    dataUri(jpeg(width, height)),
  ]);
  bombs.push(dataUri(webp('VP8X', 16_000_000, 16_000_000)), dataUri(webp('VP8L', 16_000, 16_000)));
  bombs.push(dataUri(webp('VP8 ', 16_000, 16_000)), dataUri(webp('VP8X', 1, 16_000)));
  const texts = [
    'data:image/png;base64,',
    'data:image/png;base64,!!!!',
    'data:image/png,AAAA',
    'data:,x',
    'data:',
    'data:image/png;base64',
    'data:image/png;base64,AAAA====',
    'data:image/png;base64,AA\nAA',
    'data:text/html;base64,PGh0bWw+',
    `data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99999" height="99999"/>').toString('base64')}`,
    `data:image/png;base64,${Buffer.from('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>').toString('base64')}`,
    dataUri(Buffer.from('BM6', 'latin1')),
    dataUri(Buffer.from('%PDF-1.7', 'latin1')),
    dataUri(Buffer.from('II*\0', 'latin1')),
    dataUri(Buffer.from('\0\0\0\x20ftypavif', 'latin1')),
    dataUri(gzipSync(Buffer.alloc(1_000_000))),
    dataUri(Buffer.alloc(64)),
    dataUri(png(5, 5).subarray(0, 20)),
    dataUri(jpeg(5, 5).subarray(0, 10)),
    dataUri(Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(10_000, 0xff)])),
    PIXEL.replace('data:', ' data:'),
    PIXEL.replace('data:', 'DATA:x'),
    `${PIXEL}%20`,
    `${PIXEL}\0`,
    dataUri(png(70_000, 70_000, Buffer.alloc(20_000_000))),
  ];
  return [
    ...bombs.map((uri, index): NamedUrl => [`bomb ${index}`, uri]),
    ...texts.map((uri, index): NamedUrl => [`image ${index}`, uri]),
    ...[null, 5, '', {}, [PIXEL], true].map((url, index): NamedUrl => [`url ${index}`, url]),
  ];
}

/** Addresses that a server must not fetch from for a client. */
export function badAddresses(): NamedUrl[] {
  const hosts = [
    '127.0.0.1',
    'localhost',
    '0.0.0.0',
    '[::1]',
    '[::]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '017700000001',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '[fd00:ec2::254]',
    'metadata.google.internal',
    'kubernetes.default.svc',
    '127.0.0.1.nip.io',
    'localtest.me',
    'images.example.com.evil.com',
    'evilimages.example.com',
    'images.example.com@127.0.0.1',
    '127.0.0.1#images.example.com',
    '127.0.0.1\\@images.example.com',
    'user:pass@images.example.com',
    'images.example.com:22',
    'images.example.com:8443',
    'xn--e1awd7f.com',
    '①②⑦.⓪.⓪.①',
    'images。evil.com',
    'images.example.com%2f@evil.com',
    '',
  ];
  const others = [
    'file:///etc/passwd',
    'file://localhost/etc/passwd',
    'ftp://images.example.com/x',
    'gopher://127.0.0.1:6379/_INFO',
    'javascript:alert(1)',
    'blob:https://images.example.com/1',
    '/etc/passwd',
    '../../etc/passwd',
    '\\\\evil\\share',
    'C:\\windows\\win.ini',
    'about:blank',
    'node:fs',
    '//127.0.0.1/x',
    'https:',
    'https://',
    'http:///x',
    'https://[',
    'dict://127.0.0.1:11211/stat',
    'unix:/var/run/docker.sock',
    'http+unix://%2Fvar%2Frun%2Fdocker.sock/info',
    'jar:http://x!/',
    'ws://127.0.0.1/',
    'view-source:http://127.0.0.1/',
    'mailto:a@b',
    '\u0000https://images.example.com',
  ];
  return [
    ...hosts.flatMap((host): NamedUrl[] => [
      [`http ${host}`, `http://${host}/x.png`],
      [`https ${host}`, `https://${host}/x.png`],
    ]),
    ...others.map((url): NamedUrl => [url, url]),
  ];
}
