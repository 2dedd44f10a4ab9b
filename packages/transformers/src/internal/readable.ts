// Typed errors for values that cannot be read or printed, such as revoked proxies, throwing getters, and circular objects.

import { MmtokError } from '@mmtok/core';
import { messageOf } from '@mmtok/core/internal';

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
