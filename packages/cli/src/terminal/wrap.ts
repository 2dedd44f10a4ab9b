// Breaks text into lines.

/**
 * Breaks text between words so that each line fits; a word too long for a line is cut.
 * @param fits Whether a line is short enough.
 */
export function wrap(text: string, fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(/\s+/u)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    const pieces = cut(word, fits);
    line = pieces.pop() ?? '';
    for (const piece of pieces) lines.push(piece);
  }
  return [...lines, line];
}

/** Cuts a word into pieces that fit, each as long as it can be; a piece has one character at least. */
function cut(word: string, fits: (line: string) => boolean): string[] {
  const characters = [...word];
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; ) {
    const isFitting = (length: number): boolean => fits(characters.slice(start, start + length).join(''));
    const rest = characters.length - start;
    let good = 1;
    while (good < rest && isFitting(Math.min(2 * good, rest))) good = Math.min(2 * good, rest);
    let bad = Math.min(2 * good, rest + 1);
    while (bad - good > 1) {
      const middle = Math.floor((good + bad) / 2);
      if (isFitting(middle)) good = middle;
      else bad = middle;
    }
    pieces.push(characters.slice(start, start + good).join(''));
    start += good;
  }
  return pieces;
}

/** Breaks text into lines of at most `width` characters. */
export function wrapColumns(text: string, width: number): string[] {
  return wrap(text, (line) => [...line].length <= width);
}
