// What the kept tokens of several images cover together.

/** The selections of an image, with their coverage. */
interface Covered {
  readonly selections: readonly { readonly coverage: Readonly<Record<string, number>> }[];
}

/** The coverage of each term, averaged over the selections that have it; `undefined` if nothing was selected. */
export function meanCoverage(images: readonly Covered[]): Readonly<Record<string, number>> | undefined {
  const all = images.flatMap(({ selections }) => selections.map(({ coverage }) => coverage));
  const terms = [...new Set(all.flatMap((coverage) => Object.keys(coverage)))];
  if (terms.length === 0) return undefined;
  const mean = (term: string): number => {
    const values = all.flatMap((coverage) => coverage[term] ?? []);
    return values.reduce((total, value) => total + value, 0) / values.length;
  };
  return Object.fromEntries(terms.map((term) => [term, mean(term)]));
}
