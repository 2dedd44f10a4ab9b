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
import { FULL_FOCUS, focusStrength, TYPICAL_FOCUS, textEvidence } from './focus-strength.js';
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
const evidence = (vision: Rows, text: Rows): { aboveMean: number; aboveTypical: number } => {
  const { aboveMean, aboveTypical } = textEvidence(...asked(vision, text));
  return { aboveMean: aboveMean.data[0] as number, aboveTypical: aboveTypical.data[0] as number };
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

/** The definition, in double precision. */
function byDefinition(vision: Rows, text: Rows): ReturnType<typeof evidence> {
  const directions = vision.map(unit);
  const centerOf = (shares: readonly number[]): number[] =>
    (vision[0] ?? []).map((_, d) =>
      dot(
        directions.map((row) => row[d] as number),
        shares,
      ),
    );
  const above = (center: readonly number[]): number => {
    const scores = directions.flatMap((direction) => {
      const centered = direction.map((value, d) => value - (center[d] as number));
      return text.map(unit).map((row) => {
        const deviation = Math.hypot(...row.map((value, d) => value * (centered[d] as number)));
        return dot(centered, row) / Math.max(deviation, 1e-3);
      });
    });
    return Math.max(...scores) / Math.sqrt(Math.max(1, 2 * Math.log(vision.length * text.length)));
  };
  const mean = centerOf(vision.map(() => 1 / vision.length));
  const cosines = directions.map((row) => dot(row, unit(mean)));
  const [lowest, highest] = [Math.min(...cosines), Math.max(...cosines)];
  const powers = cosines.map((cosine) =>
    Math.exp((8 * (cosine - lowest)) / Math.max(highest - lowest, 1e-6)),
  );
  const typical = centerOf(powers.map((power) => power / powers.reduce((sum, one) => sum + one)));
  return { aboveMean: above(mean), aboveTypical: above(typical) };
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

const rowsOf = (rows: number, columns: number): fc.Arbitrary<number[][]> =>
  fc.integer({ min: 1, max: 1e6 }).map((seed) => noise(seed, rows, columns));
const inputs = fc
  .record({
    n: fc.integer({ min: 2, max: 20 }),
    m: fc.integer({ min: 1, max: 5 }),
    d: fc.integer({ min: 2, max: 12 }),
  })
  .chain(({ n, m, d }) => fc.record({ vision: rowsOf(n, d), text: rowsOf(m, d) }));

describe('evidence', () => {
  it('is what its definition says', () => {
    fc.assert(
      fc.property(inputs, ({ vision, text }) => {
        const [measured, expected] = [evidence(vision, text), byDefinition(vision, text)];
        expect(measured.aboveMean).toBeCloseTo(expected.aboveMean, 4);
        expect(measured.aboveTypical).toBeCloseTo(expected.aboveTypical, 4);
      }),
    );
  });

  it('depends neither on the order of tokens and words nor on the length of rows', () => {
    fc.assert(
      fc.property(inputs, fc.double({ min: 0.01, max: 100, noNaN: true }), ({ vision, text }, factor) => {
        const scaled = (rows: Rows): Rows => rows.map((row) => row.map((value) => value * factor));
        const turned = evidence(scaled(vision.toReversed()), scaled(text.toReversed()));
        expect(turned.aboveMean).toBeCloseTo(evidence(vision, text).aboveMean, 4);
        expect(turned.aboveTypical).toBeCloseTo(evidence(vision, text).aboveTypical, 4);
      }),
    );
  });

  it('does not come from dimensions that are large in all tokens', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), (seed) => {
        const vision = noise(seed, 60, 24).map((row) => [1000, ...row]);
        const text = noise(seed + 1, 3, 24).map((row) => [1000, ...row]);
        expect(strength(vision, text)).toBeLessThan(FULL_FOCUS);
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
  it('is from none to full', () => {
    fc.assert(
      fc.property(inputs, ({ vision, text }) => {
        const value = strength(vision, text);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(FULL_FOCUS);
      }),
    );
  });

  const seeds = Array.from({ length: 100 }, (_, i) => 10 * i + 1);

  it.each([
    [64, 32, 1],
    [64, 32, 8],
    [256, 96, 4],
  ])(
    'is full for noise in few of 100 scenes of %d tokens with %d numbers, asked with %d words',
    (n, d, m) => {
      const strengths = seeds.map((seed) => strength(scene(seed, n, d, 6).vision, noise(seed + 7, m, d)));
      expect(strengths.filter((value) => value === FULL_FOCUS).length).toBeLessThan(15);
      expect(meanOf(strengths)).toBeLessThan(0.2 * FULL_FOCUS);
    },
  );

  it('is full for one number repeated in few of 100 scenes', () => {
    const strengths = seeds.map((seed) => strength(scene(seed, 64, 64, 6).vision, [new Array(64).fill(1)]));
    expect(strengths.filter((value) => value === FULL_FOCUS).length).toBeLessThan(15);
  });

  it('is about full for what a few tokens show, among words that say nothing', () => {
    const strengths = seeds.map((seed) => {
      const { vision, object } = scene(seed, 144, 64, 4);
      return strength(vision, [...noise(seed + 7, 3, 64), object]);
    });
    expect(meanOf(strengths)).toBeGreaterThan(0.95 * FULL_FOCUS);
  });

  it('is less than full for what most tokens show', () => {
    const strengths = seeds.map((seed) => {
      const { vision, ground } = scene(seed, 144, 64, 30);
      return strength(vision, [...noise(seed + 7, 3, 64), ground]);
    });
    expect(strengths.filter((value) => value > TYPICAL_FOCUS).length).toBeLessThan(15);
    expect(meanOf(strengths)).toBeGreaterThan(0.9 * TYPICAL_FOCUS);
  });
});

describe("visionCoverage({ focus: 'auto' })", () => {
  const { vision, object } = scene(5, 64, 32, 6);
  const chosen = async (focus: number | 'auto', text: Rows): Promise<readonly number[]> => {
    const coverage = [visionCoverage({ focus })];
    const backend = createReferenceBackend();
    return (await selectTokens({ backend, vision, text, coverage, budget: { tokens: 12 } })).order;
  };

  it('selects as a full focus does where the text names something', async () => {
    expect(await chosen('auto', [object])).toEqual(await chosen(FULL_FOCUS, [object]));
    expect(await chosen('auto', [object])).not.toEqual(await chosen(0, [object]));
  });

  it('selects as vision coverage alone does where the text is noise', async () => {
    const text = [7, 17, 27, 37, 47]
      .map((seed) => noise(seed, 2, 32))
      .find((rows) => strength(vision, rows) < 1e-9) as Rows;
    expect(await chosen('auto', text)).toEqual(await chosen(0, text));
    expect(await chosen(FULL_FOCUS, text)).not.toEqual(await chosen(0, text));
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
