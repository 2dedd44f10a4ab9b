// The method as the paper's equations state it, in doubles and nested arrays: an oracle that shares no code with src.

/** Row-major numbers, one array per row. */
export type Rows = readonly (readonly number[])[];

/** The parts of the paper's objective. */
export interface PaperInputs {
  readonly vision: Rows;
  readonly visionFeatures: Rows;
  readonly text: Rows;
  readonly textTemperature?: number;
  readonly visionTemperature?: number;
  readonly alpha?: number;
}

const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, x, k) => sum + x * (b[k] as number), 0);

function normalized(rows: Rows): Rows {
  return rows.map((row) => {
    const length = Math.max(Math.sqrt(dot(row, row)), 1e-8);
    return row.map((x) => x / length);
  });
}

function softmax(row: readonly number[]): readonly number[] {
  const max = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - max));
  const total = powers.reduce((sum, x) => sum + x, 0);
  return powers.map((x) => x / total);
}

function calibrated(targets: Rows, candidates: Rows, temperature: number): Rows {
  const [t, c] = [normalized(targets), normalized(candidates)];
  return t.map((target) => softmax(c.map((candidate) => dot(target, candidate) / temperature)));
}

/** The combined matrix [P / m ; α · Q / n] of Eq. 1 and 2: rows are targets, columns candidates. */
export function paperMatrix(inputs: PaperInputs): Rows {
  const {
    vision,
    visionFeatures,
    text,
    textTemperature = 0.02,
    visionTemperature = 0.2,
    alpha = 0.5,
  } = inputs;
  const p = calibrated(text, vision, textTemperature).map((row) => row.map((x) => x / text.length));
  const q = calibrated(visionFeatures, visionFeatures, visionTemperature).map((row) =>
    row.map((x) => (alpha * x) / vision.length),
  );
  return [...p, ...q];
}

/** A greedy run by definition. */
export interface OracleRun {
  readonly order: readonly number[];
  /** F after each pick. */
  readonly values: readonly number[];
  /** Smallest relative distance between the best gain and the next different candidate's. */
  readonly smallestGap: number;
}

/** Naive greedy over `columns` candidates; ties go to the lowest index. */
export function greedyByDefinition(
  matrix: Rows,
  columns: number,
  budget: number,
  exclude: readonly number[] = [],
): OracleRun {
  const best = matrix.map(() => 0);
  const out = new Set(exclude);
  const order: number[] = [];
  const values: number[] = [];
  let value = 0;
  let smallestGap = Number.POSITIVE_INFINITY;
  while (order.length < budget && out.size < columns) {
    let [winner, winnerGain, second] = [-1, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let j = 0; j < columns; j++) {
      if (out.has(j)) continue;
      let gain = 0;
      for (let i = 0; i < matrix.length; i++) {
        gain += Math.max((matrix[i]?.[j] as number) - (best[i] as number), 0);
      }
      if (gain > winnerGain) [winner, winnerGain, second] = [j, gain, winnerGain];
      else if (gain > second) second = gain;
    }
    if (second > Number.NEGATIVE_INFINITY) {
      smallestGap = Math.min(smallestGap, (winnerGain - second) / Math.max(winnerGain, 1e-300));
    }
    matrix.forEach((row, i) => {
      best[i] = Math.max(best[i] as number, row[winner] as number);
    });
    out.add(winner);
    order.push(winner);
    value += winnerGain;
    values.push(value);
  }
  return { order, values, smallestGap };
}

/** All subsets of 0 … n − 1 with exactly `size` members. */
export function* subsets(n: number, size: number, from = 0): Generator<readonly number[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let first = from; first <= n - size; first++) {
    for (const rest of subsets(n, size - 1, first + 1)) yield [first, ...rest];
  }
}
