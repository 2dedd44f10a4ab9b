import { describe, expect, it } from 'vitest';
import { keptPositions } from './shorten.js';

describe('keptPositions', () => {
  const masks = [
    [1, 1, 1, 1],
    [0, 1, 1, 1],
  ];
  const removed = [new Set([1]), new Set([1, 2])];

  it('cuts each row and pads it on the side where the model does not continue', () => {
    expect(keptPositions(masks, removed, 'left')).toEqual([
      [0, 2, 3],
      [-1, -1, 3],
    ]);
    expect(keptPositions(masks, removed, 'right')).toEqual([
      [0, 2, 3],
      [3, -1, -1],
    ]);
  });
});
