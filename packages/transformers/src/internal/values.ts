// Values of any kind that callers pass: typed errors if they cannot be read, and their representation as text, JSON, and digests.

import { InvalidOptionsError, MmtokError } from '@mmtok/core';
import { messageOf } from '@mmtok/core/internal';
import { isTensor, type ModelInputs } from './types.js';

/**
 * Runs `read` on a caller's value.
 * @param unreadable makes the error to throw if reading fails; its argument says why. Typed errors are passed through.
 */
export function readable<R>(read: () => R, unreadable: (problem: string) => MmtokError): R {
  try {
    return read();
  } catch (error) {
    throw MmtokError.isInstance(error) ? error : unreadable(`it cannot be read (${messageOf(error)})`);
  }
}

/** A value as JSON for error messages; if there is none, the kind of value. */
export function shown(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value;
  }
}

/** JSON in which functions are represented by their name and source code, and other objects also by the source of their class. */
function jsonOf(value: unknown): string {
  const represent = (_: string, one: unknown): unknown => {
    if (typeof one === 'bigint') return `${one}n`;
    if (typeof one === 'function') return { function: one.name, source: String(one) };
    if (typeof one !== 'object' || one === null || Array.isArray(one) || ArrayBuffer.isView(one)) return one;
    const { constructor: maker } = one;
    if (maker === undefined || maker === Object) return one;
    return { class: String(maker), ...one };
  };
  return readable(
    () => JSON.stringify(value ?? null, represent) ?? 'null',
    (problem) => new InvalidOptionsError('options for cacheKey', [problem]),
  );
}

/** Bytes of a value: a tensor's shape and data, or JSON. */
function bytesOf(value: unknown): Uint8Array[] {
  if (!isTensor(value)) return [new TextEncoder().encode(jsonOf(value))];
  const head = new TextEncoder().encode(`${value.type}[${value.dims.join(',')}]`);
  const { data } = value;
  if (ArrayBuffer.isView(data)) return [head, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)];
  return [head, new TextEncoder().encode(Array.from(data as ArrayLike<unknown>, String).join(','))];
}

/**
 * The SHA-256 digest, in hexadecimal, of named values: tensors by shape and data, functions by name and source code, everything
 * else as JSON.
 */
export async function digest(values: ModelInputs): Promise<string> {
  const parts = Object.keys(values)
    .sort()
    .flatMap((name) => [new TextEncoder().encode(`\n${name}=`), ...bytesOf(values[name])]);
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  const hash = await globalThis.crypto.subtle.digest('SHA-256', joined);
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
