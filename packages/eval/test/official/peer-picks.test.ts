// Methods against the selections of their public code, which `make_peer_picks.py` ran.

import { readFileSync } from 'node:fs';
import { createReferenceBackend } from '@mmtok/core';
import { syntheticFeatures, syntheticText } from '@mmtok/core/testing';
import { describe, expect, it } from 'vitest';
import { builtInMethods, findMethods } from '../../src/index.js';

interface PeerCase {
  readonly height: number;
  readonly width: number;
  readonly dim: number;
  readonly clusters: number;
  readonly noise: number;
  readonly common: number;
  readonly textTokens: number;
  readonly tokens: number;
  readonly seed: number;
  /** The tokens that each method's public code keeps, ascending. */
  readonly picks: Readonly<Record<string, readonly number[]>>;
}

const cases = JSON.parse(readFileSync(new URL('peer-picks.json', import.meta.url), 'utf8')) as PeerCase[];
const backend = createReferenceBackend();

describe.each(cases)('$tokens of $height × $width tokens', (one) => {
  const vision = syntheticFeatures(one);
  const features = {
    vision,
    text: syntheticText(vision, one.textTokens, one.seed + 1),
    saliency: syntheticFeatures({ ...one, dim: 1, seed: one.seed + 2 }).data.map(Math.abs),
    grid: [one.height, one.width] as const,
  };

  it.each(Object.entries(one.picks))('%s keeps what its public code keeps', async (name, picks) => {
    const [method] = findMethods([name]);
    const own = await method!.select(features, { tokens: one.tokens, backend });
    expect(own.toSorted((a, b) => a - b)).toEqual(picks);
  });
});

it('names only existing methods', () => {
  const names = builtInMethods.map(({ name }) => name);
  for (const { picks } of cases) expect(names).toEqual(expect.arrayContaining(Object.keys(picks)));
});
