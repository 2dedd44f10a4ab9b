// Fetches an image from an address in a request: only from hosts on an allow list, checked at every redirect, and only from
// public addresses. A name is resolved once, and the connection goes to the address that was checked.

import { lookup as systemLookup } from 'node:dns/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { BadRequestError, LimitError, TimeoutError } from '../errors.js';

/** Hosts that images may be fetched from. */
export interface RemoteImageOptions {
  /**
   * Hosts: `images.example.com`, `*.example.com` (any subdomain), with a port if it is not the usual one
   * (`cdn.example.com:8443`). Over HTTPS, or over plain HTTP if the entry says so (`http://images.example.com`).
   */
  readonly allow: readonly string[];
  /** Also allow private, loopback, and link-local addresses, for image stores in your own network. @default false */
  readonly allowPrivateAddresses?: boolean | undefined;
}

/** Bounds of one fetch. */
export interface FetchBounds {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Resolves a name; for tests. */
  readonly lookup?: (
    host: string,
  ) => Promise<readonly { readonly address: string; readonly family: number }[]>;
}

const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * The bytes at an address.
 * @throws BadRequestError if the address is not allowed or does not answer with a file; LimitError if that is too large;
 *   TimeoutError.
 */
export async function fetchImage(
  address: string,
  options: RemoteImageOptions,
  bounds: FetchBounds,
): Promise<Uint8Array> {
  const timeout = AbortSignal.timeout(bounds.timeoutMs);
  const signal = AbortSignal.any([bounds.signal, timeout]);
  try {
    let url = parse(address);
    for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
      if (!isAllowed(url, options.allow)) {
        throw new BadRequestError(
          `Images from '${url.protocol}//${url.host}' are not allowed on this server. Send the image as a data URI.`,
        );
      }
      const response = await open(url, await orAborted(resolve(url, options, bounds), signal), signal);
      const { statusCode = 0, headers } = response;
      if (!REDIRECTS.has(statusCode)) return await readBody(response, bounds.maxBytes);
      response.destroy();
      if (headers.location === undefined) break;
      url = parse(headers.location, url);
    }
    throw new BadRequestError(
      `The image's address redirects more than ${MAX_REDIRECTS} times, or without a target.`,
    );
  } catch (error) {
    bounds.signal.throwIfAborted();
    if (timeout.aborted) throw new TimeoutError('The image took too long to fetch.', 408);
    if (error instanceof BadRequestError || error instanceof LimitError) throw error;
    throw new BadRequestError('The image could not be fetched from its address.', { cause: error });
  }
}

function parse(address: string, base?: URL): URL {
  const url = URL.canParse(address, base?.href) ? new URL(address, base) : undefined;
  const isWeb = url?.protocol === 'https:' || url?.protocol === 'http:';
  if (url === undefined || !isWeb || url.username !== '' || url.password !== '') {
    throw new BadRequestError(
      'An image_url is neither a data URI with base64 nor an http(s) address without user and password.',
    );
  }
  return url;
}

/** Whether an entry of the allow list matches the scheme, host, and port of a URL. */
export function isAllowed(url: URL, allow: readonly string[]): boolean {
  return allow.some((entry) => {
    const scheme = entry.startsWith('http://') ? 'http:' : 'https:';
    const [host = '', port] = entry
      .replace(/^https?:\/\//, '')
      .toLowerCase()
      .split(':');
    const usual = scheme === 'http:' ? '80' : '443';
    if (url.protocol !== scheme || (url.port || usual) !== (port ?? usual)) return false;
    if (host.startsWith('*.')) return url.hostname.endsWith(host.slice(1)) && url.hostname !== host.slice(2);
    return url.hostname === host;
  });
}

/** A promise, or the signal's reason if that comes first. Looking up a name cannot be aborted. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let leave = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}

/** The address to connect to, after all addresses of the name were checked. */
async function resolve(
  url: URL,
  { allowPrivateAddresses = false }: RemoteImageOptions,
  { lookup = (host) => systemLookup(host, { all: true }) }: FetchBounds,
): Promise<{ readonly address: string; readonly family: number }> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  const found = family === 0 ? await lookup(host) : [{ address: host, family }];
  const [first] = found;
  if (first === undefined) throw new Error('the name has no address');
  if (!allowPrivateAddresses && !found.every(({ address }) => isPublicAddress(address))) {
    throw new BadRequestError(`Images from '${url.host}' are not allowed on this server.`);
  }
  return first;
}

function open(
  url: URL,
  { address, family }: { readonly address: string; readonly family: number },
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((done, fail) => {
    request(url, {
      agent: false, // no pooled connection, which may lead elsewhere
      headers: { accept: 'image/*', 'accept-encoding': 'identity', 'user-agent': 'mmtok' },
      signal,
      // The name is not resolved again: a second answer could be another address.
      lookup: (_host, { all }, callback) => {
        if (all === true) callback(null, [{ address, family }]);
        else callback(null, address, family);
      },
    })
      .on('response', done)
      .on('error', fail)
      .end();
  });
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const { statusCode, headers } = response;
  const tooLarge = (): LimitError =>
    new LimitError(`The image has more than ${maxBytes} bytes.`, { status: 413 });
  try {
    if (statusCode !== 200)
      throw new BadRequestError(`The image's address answered with status ${statusCode}.`);
    if ((headers['content-encoding'] ?? 'identity') !== 'identity') {
      throw new BadRequestError("The image's address answered with a compressed body.");
    }
    if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    response.destroy();
  }
}

// Which IP addresses are public, so that the server may fetch images from them for an untrusted client.

const reserved = new BlockList();
for (const range of [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carriers
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local; cloud metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
]) {
  const [network = '', bits] = range.split('/');
  reserved.addSubnet(network, Number(bits), 'ipv4');
}

// Global unicast, except for ranges that tunnel to IPv4 addresses, which may be private.
const global = new BlockList();
global.addSubnet('2000::', 3, 'ipv6');
const tunnels = new BlockList();
for (const [network, bits] of [
  ['2001::', 23], // Teredo, ORCHID, benchmarks
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3fff::', 20], // documentation
] as const) {
  tunnels.addSubnet(network, bits, 'ipv6');
}

/** Whether an IPv4 or IPv6 address is a public unicast address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) return global.check(address, 'ipv6') && !tunnels.check(address, 'ipv6');
  return !reserved.check(address, 'ipv4');
}
