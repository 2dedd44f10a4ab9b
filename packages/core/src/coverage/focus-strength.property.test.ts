// How strong a focus is: what is measured, what it does not depend on, and that noise does not count as evidence.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createReferenceBackend,
  referenceOps as ops,
  type ReferenceTensor,
} from '../backend/reference-backend.js';
import { createRandom } from '../search/sampling.js';
import { selectTokens } from '../selection/select-tokens.js';
import {
  BACKGROUND_FOCUS,
  DETAIL_FOCUS,
  focusStrength,
  type TextEvidence,
  TYPICAL_FOCUS,
  textEvidence,
} from './focus-strength.js';
import { visionCoverage } from './terms.js';

type Rows = readonly (readonly number[])[];

const tensor = (rows: Rows): ReferenceTensor => ({
  dims: [rows.length, rows[0]?.length ?? 0],
  data: Float64Array.from(rows.flat()),
});
const asked = (vision: Rows, text: Rows) => {
  const x = tensor(vision);
  return [ops, x, tensor(text), ops.rowNorms(x)] as const;
};
const evidence = (vision: Rows, text: Rows): TextEvidence<number> => {
  const { above, below, typicality } = textEvidence(...asked(vision, text));
  const [up, down, along] = [above, below, typicality].map(({ data }) => data[0] as number);
  return { above: up as number, below: down as number, typicality: along as number };
};
const strength = (vision: Rows, text: Rows): number =>
  focusStrength(...asked(vision, text)).data[0] as number;

const unit = (row: readonly number[]): number[] => {
  const length = Math.hypot(...row);
  return row.map((value) => value / Math.max(length, 1e-8));
};
const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, d) => sum + value * (b[d] as number), 0);

const correlationOf = (a: readonly number[], b: readonly number[]): number => {
  const [x, y] = [a, b].map((one) => one.map((value) => value - meanOf(one))) as [number[], number[]];
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
};

/** The definition, in double precision. */
function byDefinition(vision: Rows, text: Rows): TextEvidence<number> {
  const [directions, words] = [vision, text].map((rows) => rows.map(unit)) as [number[][], number[][]];
  const mean = (vision[0] ?? []).map((_, d) => meanOf(directions.map((row) => row[d] as number)));
  const scores = directions.flatMap((direction) => {
    const centered = direction.map((value, d) => value - (mean[d] as number));
    return words.map((word) => {
      const deviation = Math.hypot(...word.map((value, d) => value * (centered[d] as number)));
      return dot(centered, word) / Math.max(deviation, 1e-3);
    });
  });
  const expected = Math.sqrt(Math.max(1, 2 * Math.log(scores.length)));
  return {
    above: Math.max(...scores) / expected,
    below: -Math.min(...scores) / expected,
    typicality: correlationOf(
      directions.map((direction) => meanOf(words.map((word) => dot(direction, word)))),
      directions.map((direction) => dot(direction, mean)),
    ),
  };
}

/** Normal numbers. */
const noise = (seed: number, rows: number, columns: number): number[][] => {
  const draw = createRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw());
  return Array.from({ length: rows }, () => Array.from({ length: columns }, normal));
};

/** Tokens of a plain background, of which the first few show something else. */
function scene(
  seed: number,
  tokens: number,
  dim: number,
  shown: number,
): { vision: Rows; ground: number[]; object: number[] } {
  const [ground, object] = noise(seed, 2, dim) as [number[], number[]];
  const spread = noise(seed + 1, tokens, dim);
  const vision = spread.map((row, token) =>
    row.map((value, d) => 0.5 * value + ((token < shown ? object : ground)[d] as number)),
  );
  return { vision, ground, object };
}

const expectClose = (measured: TextEvidence<number>, expected: TextEvidence<number>): void => {
  expect(measured.above).toBeCloseTo(expected.above, 4);
  expect(measured.below).toBeCloseTo(expected.below, 4);
  expect(measured.typicality).toBeCloseTo(expected.typicality, 4);
};

const rowsOf = (rows: number, columns: number): fc.Arbitrary<number[][]> =>
  fc.integer({ min: 1, max: 1e6 }).map((seed) => noise(seed, rows, columns));
const inputs = fc
  .record({
    // Two tokens are equally typical.
    n: fc.integer({ min: 3, max: 20 }),
    m: fc.integer({ min: 1, max: 5 }),
    d: fc.integer({ min: 2, max: 12 }),
  })
  .chain(({ n, m, d }) => fc.record({ vision: rowsOf(n, d), text: rowsOf(m, d) }));

describe('evidence', () => {
  it('is what its definition says', () => {
    fc.assert(
      fc.property(inputs, ({ vision, text }) => {
        expectClose(evidence(vision, text), byDefinition(vision, text));
      }),
    );
  });

  it('depends neither on the order of tokens and words nor on the length of rows', () => {
    fc.assert(
      fc.property(inputs, fc.double({ min: 0.01, max: 100, noNaN: true }), ({ vision, text }, factor) => {
        const scaled = (rows: Rows): Rows => rows.map((row) => row.map((value) => value * factor));
        const turned = evidence(scaled(vision.toReversed()), scaled(text.toReversed()));
        expectClose(turned, evidence(vision, text));
      }),
    );
  });

  it('for and against are exchanged, and typicality is reversed, if every word is replaced by its opposite', () => {
    fc.assert(
      fc.property(inputs, ({ vision, text }) => {
        const opposite = evidence(
          vision,
          text.map((row) => row.map((value) => -value)),
        );
        const { above, below, typicality } = evidence(vision, text);
        expectClose(opposite, { above: below, below: above, typicality: -typicality });
      }),
    );
  });

  it('does not come from dimensions that are large in all tokens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const vision = noise(seed, 60, 24).map((row) => [1000, ...row]);
        const text = noise(seed + 1, 3, 24).map((row) => [1000, ...row]);
        expect(strength(vision, text)).toBeLessThan(DETAIL_FOCUS);
      }),
      { numRuns: 50 },
    );
  });

  it('is none where tokens do not differ, the text is zero, or there is one token', () => {
    fc.assert(
      fc.property(inputs, ({ vision, text }) => {
        const same = vision.map(() => vision[0] as number[]);
        expect(strength(same, text)).toBeCloseTo(0, 12);
        expect(strength(vision.slice(0, 1), text)).toBeCloseTo(0, 12);
        const zero = text.map((row) => row.map(() => 0));
        expect(strength(vision, zero)).toBeCloseTo(0, 12);
      }),
    );
  });
});

describe('strength', () => {
  it('is from none to that of a background', () => {
    fc.assert(
      fc.property(inputs, ({ vision, text }) => {
        const value = strength(vision, text);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(BACKGROUND_FOCUS);
      }),
    );
  });

  const seeds = Array.from({ length: 100 }, (_, i) => 10 * i + 1);

  it.each([
    [64, 32, 1],
    [64, 32, 8],
    [256, 96, 4],
  ])(
    'is that of a question for noise in few of 100 scenes of %d tokens with %d numbers, asked with %d words',
    (n, d, m) => {
      const strengths = seeds.map((seed) => strength(scene(seed, n, d, 6).vision, noise(seed + 7, m, d)));
      expect(strengths.filter((value) => value >= DETAIL_FOCUS).length).toBeLessThan(15);
      expect(meanOf(strengths)).toBeLessThan(0.2 * DETAIL_FOCUS);
    },
  );

  it('is that of a question for one number repeated in few of 100 scenes', () => {
    const strengths = seeds.map((seed) => strength(scene(seed, 64, 64, 6).vision, [new Array(64).fill(1)]));
    expect(strengths.filter((value) => value >= DETAIL_FOCUS).length).toBeLessThan(15);
  });

  it('is about that of a detail for what a few tokens show, among words that say nothing', () => {
    const strengths = seeds.map((seed) => {
      const { vision, object } = scene(seed, 144, 64, 4);
      return strength(vision, [...noise(seed + 7, 3, 64), object]);
    });
    expect(meanOf(strengths)).toBeGreaterThan(0.9 * DETAIL_FOCUS);
  });

  it('is about that of a background for what most tokens show and a few do not', () => {
    const strengths = seeds.map((seed) => {
      const { vision, ground } = scene(seed, 144, 192, 10);
      return strength(vision, [...noise(seed + 7, 3, 192), ground]);
    });
    expect(meanOf(strengths)).toBeGreaterThan(0.9 * BACKGROUND_FOCUS);
  });

  it('is weak for a word that matches tokens the better the more typical they are', () => {
    const strengths = seeds.map((seed) => {
      const { vision, ground } = scene(seed, 144, 64, 30);
      const [row] = noise(seed + 7, 1, 64) as [number[]];
      return strength(vision, [row.map((value, d) => value + 0.5 * (ground[d] as number))]);
    });
    expect(strengths.filter((value) => value > TYPICAL_FOCUS + 1e-6).length).toBeLessThan(15);
    expect(meanOf(strengths)).toBeGreaterThan(0.5 * TYPICAL_FOCUS);
  });
});

describe("visionCoverage({ focus: 'auto' })", () => {
  const { vision, object } = scene(5, 64, 32, 6);
  const chosen = async (focus: number | 'auto', text: Rows): Promise<readonly number[]> => {
    const coverage = [visionCoverage({ focus })];
    const backend = createReferenceBackend();
    return (await selectTokens({ backend, vision, text, coverage, budget: { tokens: 12 } })).order;
  };

  it('selects as the focus for a detail does where the text names something', async () => {
    expect(await chosen('auto', [object])).toEqual(await chosen(DETAIL_FOCUS, [object]));
    expect(await chosen('auto', [object])).not.toEqual(await chosen(0, [object]));
  });

  it('selects as vision coverage alone does where the text is noise', async () => {
    const text = [7, 17, 27, 37, 47]
      .map((seed) => noise(seed, 2, 32))
      .find((rows) => strength(vision, rows) < 1e-9) as Rows;
    expect(await chosen('auto', text)).toEqual(await chosen(0, text));
    expect(await chosen(DETAIL_FOCUS, text)).not.toEqual(await chosen(0, text));
  });

  it('goes without text, and has its programs compiled once', async () => {
    const coverage = [visionCoverage({ focus: 'auto' })];
    const backend = createReferenceBackend();
    const { order, notes } = await selectTokens({ backend, vision, coverage, budget: { tokens: 12 } });
    expect(order).toEqual(await chosen(0, [object]));
    expect(notes.join()).toContain("'vision'");
    expect(visionCoverage({ focus: 'auto' }).programs).toBe(visionCoverage({ focus: 'auto' }).programs);
  });
});
