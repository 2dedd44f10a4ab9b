// Which features vision coverage compares, where there is a choice.

/** How many times as wide as the projected tokens features may be. */
const WIDEST = 4;

/**
 * Whether features from before the projector are so wide that comparing them costs several times as much as comparing the
 * projected tokens. See docs/decisions/0012.
 * @param featureWidth d of features `[n, d]`.
 * @param tokenWidth D of projected tokens `[n, D]`.
 */
export function areTooWide(featureWidth: number, tokenWidth: number): boolean {
  return featureWidth > WIDEST * tokenWidth;
}
