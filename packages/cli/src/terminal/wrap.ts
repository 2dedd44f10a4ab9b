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
    line = '';
    for (const character of word) {
      if (line !== '' && !fits(line + character)) {
        lines.push(line);
        line = '';
      }
      line += character;
    }
  }
  return [...lines, line];
}

/** Breaks text into lines of at most `width` characters. */
export function wrapColumns(text: string, width: number): string[] {
  return wrap(text, (line) => [...line].length <= width);
}
