// Keeps the encoded images of recent prompts, with what selections computed from them. Used by turns: 'reselect'.

import { type ObjectiveTerm, type PreparedImage, type PrepareOptions, prepareImage } from '@mmtok/core';
import type { EncodedVision } from '../hook/route.js';

/** The encoder's output for a prompt, and, where later turns may ask again, the images prepared from it. */
export class VisionEntry {
  readonly encoded: EncodedVision;
  /** Whether the entry outlives the call, so that prepared images are worth keeping. */
  readonly isKept: boolean;
  private readonly prepared = new Map<string, { image: PreparedImage; coverage: readonly ObjectiveTerm[] }>();

  constructor(encoded: EncodedVision, isKept: boolean) {
    this.encoded = encoded;
    this.isKept = isKept;
  }

  /** The prepared image under a key, made at first use or when other terms are asked for. */
  prepare(
    key: string,
    options: PrepareOptions & { readonly coverage: readonly ObjectiveTerm[] },
  ): PreparedImage {
    const known = this.prepared.get(key);
    if (known !== undefined && known.coverage === options.coverage) return known.image;
    // The one it replaces may be in use by a call at the same time, so it is left to the garbage collector.
    const image = prepareImage(options);
    this.prepared.set(key, { image, coverage: options.coverage });
    return image;
  }
}

/** A map of the most recently used entries. */
export class VisionCache {
  private readonly entries = new Map<string, Promise<VisionEntry>>();
  private readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  /** The entry under a key, encoded if it is not there; `hit` tells which. */
  get(key: string, encode: () => Promise<VisionEntry>): { entry: Promise<VisionEntry>; hit: boolean } {
    const known = this.entries.get(key);
    this.entries.delete(key);
    const entry = known ?? encode();
    this.entries.set(key, entry);
    if (known === undefined) entry.catch(() => this.entries.delete(key));
    for (const oldest of this.entries.keys()) {
      if (this.entries.size <= this.capacity) break;
      this.entries.delete(oldest);
    }
    return { entry, hit: known !== undefined };
  }

  /** Forgets everything. */
  clear(): void {
    this.entries.clear();
  }
}
