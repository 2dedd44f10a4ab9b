// Multiple choice: finds the options that a question lists and the letter that an answer names.

/** One option of a multiple-choice question. */
export interface Choice {
  /** Upper case. */
  readonly letter: string;
  readonly text: string;
}

/** A letter that may introduce an option: `A.`, `A)`, `(A)`, or `A:`, at the beginning of a line or after a space. */
const MARKER = /(?<=^|[\s,;])(?:\(([A-Z])\)|([A-Z])[.):])(?=\s)/gimu;

/**
 * The options that a question lists as `A. …`, `(A) …`, `A) …`, or `A: …`, on separate lines or in one line.
 * Letters must run from A without a gap, and there must be at least two.
 *
 * @example
 * parseChoices('Which animal?\nA. a cat\nB. a dog'); // [{ letter: 'A', text: 'a cat' }, { letter: 'B', text: 'a dog' }]
 */
export function parseChoices(question: string): Choice[] {
  const markers = [...question.matchAll(MARKER)].map((match) => ({
    letter: (match[1] ?? match[2] ?? '').toUpperCase(),
    start: match.index,
    end: match.index + match[0].length,
  }));
  // The last complete run A, B, C, …, so that a "plan A: …" in the question does not hide the list after it.
  let run: typeof markers = [];
  let found: typeof markers = [];
  for (const marker of markers) {
    if (marker.letter === 'A') run = [];
    if (marker.letter !== String.fromCharCode(65 + run.length)) continue;
    run.push(marker);
    if (run.length >= 2) found = run;
  }
  return found.map(({ letter, end }, index) => {
    const [line = ''] = question
      .slice(end, found[index + 1]?.start)
      .trimStart()
      .split('\n');
    return { letter, text: line.replace(/[\s,;]+$/u, '') };
  });
}

/** Words that may precede the letter in an answer. */
const LEAD = /^(?:(?:the|my)\s+)?(?:(?:correct|best|right)\s+)?(?:answer|option|choice)(?:\s+is)?\s*:?\s*/iu;

/**
 * The option letter that an answer names, and the text after it (empty for a bare letter). `undefined` if the answer names
 * no letter.
 */
export function readChoice(answer: string): { readonly letter: string; readonly text: string } | undefined {
  const rest = answer.trim().replace(LEAD, '');
  const match = /^(?:\(([A-Z])\)|([A-Z])(?:[.):]|$))[.:]?\s*(.*)$/isu.exec(rest);
  if (match === null) return undefined;
  return { letter: (match[1] ?? match[2] ?? '').toUpperCase(), text: (match[3] ?? '').trim() };
}
