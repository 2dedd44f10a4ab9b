// Published results of the models that people evaluate most, to stand beside their own. Figures only.

/** One published number. */
export interface PaperRow {
  readonly method: string;
  /** As the paper counts: per image, `'all'` without pruning. */
  readonly tokens: string;
  readonly value: number;
}

/** Columns of the table, as `Task.paper.column` names them. */
const COLUMNS = ['GQA', 'MMB', 'MME', 'POPE', 'SQA', 'VQAv2', 'TextVQA', 'MMMU', 'SEED'];

// From https://arxiv.org/abs/2508.18264, Tables 1 and 17 to 19: model, method, tokens, values by column.
// biome-ignore format: a table
const TABLE: readonly (readonly [model: string, method: string, tokens: string, values: string])[] = [
  ['llava-1.5-7b', 'all tokens', 'all', '61.90 64.70 1862 85.90 69.50 78.50 58.20 36.30 58.60'],
  ['llava-1.5-7b', 'MMTok', '192', '60.07 63.40 1773.86 86.42 68.76 77.11 57.68 36.33 59.21'],
  ['llava-1.5-7b', 'DivPrune', '192', '59.97 62.54 1762.23 87.00 68.66 76.87 56.97 35.44 58.71'],
  ['llava-1.5-7b', 'VisionZip', '192', '59.30 63.00 1782.6 85.30 68.90 76.80 57.30 36.60 56.40'],
  ['llava-1.5-7b', 'MMTok', '128', '59.29 62.29 1779.14 86.25 68.82 76.35 57.03 35.67 58.59'],
  ['llava-1.5-7b', 'DivPrune', '128', '59.25 62.03 1718.22 86.72 68.66 75.96 56.06 35.56 56.98'],
  ['llava-1.5-7b', 'VisionZip', '128', '57.60 62.00 1761.7 83.20 68.90 75.60 56.80 37.90 54.90'],
  ['llava-1.5-7b', 'MMTok', '64', '58.29 61.17 1715.33 85.77 69.16 75.20 56.01 36.11 57.15'],
  ['llava-1.5-7b', 'DivPrune', '64', '57.78 59.28 1674.40 85.56 68.07 74.11 54.69 35.56 55.13'],
  ['llava-1.5-7b', 'VisionZip', '64', '55.10 60.10 1690 77.00 69.00 72.40 55.50 36.20 52.20'],
  ['llava-1.5-13b', 'all tokens', 'all', '63.2 67.7 1818 85.9 72.8 80.0 61.3 36.4 66.9'],
  ['llava-1.5-13b', 'MMTok', '192', '59.67 67.70 1784.16 86.15 73.62 78.30 59.64 36.78 65.49'],
  ['llava-1.5-13b', 'DivPrune', '192', '59.42 66.58 1781.50 86.76 73.03 77.98 58.46 36.56 65.72'],
  ['llava-1.5-13b', 'MMTok', '128', '58.98 67.18 1756.20 86.22 73.38 77.57 59.22 35.44 64.26'],
  ['llava-1.5-13b', 'DivPrune', '128', '58.89 66.07 1748.56 86.53 72.48 77.10 58.17 35.56 64.22'],
  ['llava-1.5-13b', 'VisionZip', '128', '57.9 66.7 1743 85.2 74.0 76.8 58.7 36.1 63.8'],
  ['llava-1.5-13b', 'MMTok', '64', '58.42 65.72 1763.39 84.39 72.98 76.55 58.40 35.22 63.39'],
  ['llava-1.5-13b', 'DivPrune', '64', '57.66 64.60 1777.93 84.80 72.09 75.20 57.11 35.22 62.44'],
  ['llava-1.5-13b', 'VisionZip', '64', '56.2 64.9 1676 76.0 74.4 73.7 57.4 36.4 60.4'],
  ['llava-next-7b', 'all tokens', 'all', '64.2 67.9 1842 86.4 70.2 80.1 61.3 35.1 70.2'],
  ['llava-next-7b', 'MMTok', '640', '62.27 65.29 1829.28 86.74 68.47 79.31 58.97 37.22 67.74'],
  ['llava-next-7b', 'MMTok', '320', '60.96 64.35 1799.33 85.76 67.33 77.68 56.93 38.00 66.29'],
  ['llava-next-7b', 'MMTok', '160', '60.05 62.97 1715.54 83.87 67.97 75.62 54.17 37.89 64.54'],
  ['llava-next-13b', 'all tokens', 'all', '65.4 70.0 1901 86.2 73.5 81.8 64.3 36.2 71.9'],
  ['llava-next-13b', 'MMTok', '640', '63.71 67.44 1874.63 86.72 72.29 80.55 61.06 37.11 69.61'],
  ['llava-next-13b', 'MMTok', '320', '62.95 65.55 1840.10 85.88 72.38 78.79 58.88 36.33 67.81'],
  ['llava-next-13b', 'MMTok', '160', '61.94 65.89 1811.35 85.11 72.43 76.8 55.91 37.11 65.45'],
];

/** Which names of models mean which of the table. */
const MODELS: readonly (readonly [model: string, name: RegExp])[] = [
  ['llava-1.5-7b', /llava-?(v)?1[.-]5.*\b7b/i],
  ['llava-1.5-13b', /llava-?(v)?1[.-]5.*\b13b/i],
  ['llava-next-7b', /llava-?(next|v?1[.-]6).*\b7b/i],
  ['llava-next-13b', /llava-?(next|v?1[.-]6).*\b13b/i],
];

/**
 * The paper's rows for a model and a column of its tables; empty where it has none.
 * @param model A hub id or the path of a folder.
 */
export function paperRows(model: string, column: string): PaperRow[] {
  const known = MODELS.find(([, name]) => name.test(model))?.[0];
  const at = COLUMNS.indexOf(column);
  if (at < 0) return [];
  return TABLE.filter(([own]) => own === known).map(([, method, tokens, values]) => ({
    method,
    tokens,
    value: Number(values.split(' ')[at]),
  }));
}
