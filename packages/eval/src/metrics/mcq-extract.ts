// Finds the option letter a free answer means, by the shapes around it. Used for MMStar, and for MMBench where its own
// rules find nothing. Lower-case letters never count.
// Source: `mcq_extract` of lmms-eval (lmms_eval/tasks/_task_utils/mcq_extract.py).

import { strip, stripCharacter } from './python-text.js';

const PHRASES = [
  ...[
    'answer',
    'correct answer',
    'best answer',
    'correct option',
    'best option',
    'choice',
    'correct choice',
  ].map((noun) => `${noun} is`),
  ...['i choose', 'i select', 'i pick', 'my answer is', 'my choice is'],
  ...['옵션', '정답은', '답은', '답:', '答案是', '答案为', '选', '答えは'],
];

interface Candidate {
  readonly letter: string;
  readonly rank: number;
  readonly position: number;
}

const LETTER = /\p{L}/u;
const isLetter = (character: string | undefined): boolean =>
  character !== undefined && LETTER.test(character);

function shaped(text: string, letter: string): Candidate[] {
  const shapes = [`(${letter})`, `${letter}.`, `${letter}:`, `${letter})`, `${letter} `];
  return shapes.map((shape, index) => ({ letter, rank: 6 - index, position: text.lastIndexOf(shape) }));
}

function afterPhrases(text: string, letters: readonly string[]): Candidate[] {
  const lower = text.toLowerCase();
  const starts = PHRASES.map((phrase) => [lower.indexOf(phrase), phrase.length] as const);
  return starts
    .filter(([at]) => at >= 0)
    .flatMap(([at, length]) =>
      letters.map((letter) => ({ letter, rank: 7, position: text.indexOf(letter, at + length) })),
    );
}

function atEnds(bare: string, letter: string): Candidate[] {
  const found: Candidate[] = [];
  if (bare.startsWith(letter) && !isLetter(bare[letter.length]))
    found.push({ letter, rank: 10, position: 0 });
  if (bare.endsWith(letter) && !isLetter(bare.at(-letter.length - 1)))
    found.push({ letter, rank: 9, position: bare.length });
  return found;
}

function anywhere(text: string, letters: readonly string[]): Candidate[] {
  return letters.map((letter) => ({ letter, rank: 0, position: text.lastIndexOf(letter) }));
}

/** The letter of `letters` that the text means, or `null`. */
export function mcqExtract(text: string, letters: readonly string[]): string | null {
  let bare = strip(text);
  for (const mark of ',.!?;:\'"') bare = stripCharacter(bare, mark);
  const padded = ` ${bare} `;
  const isFound = (candidate: Candidate): boolean => candidate.position >= 0;
  let found = [
    ...letters.flatMap((letter) => shaped(padded, letter)),
    ...afterPhrases(padded, letters),
    ...letters.flatMap((letter) => atEnds(bare, letter)),
  ].filter(isFound);
  if (found.length === 0) found = anywhere(padded, letters).filter(isFound);
  const best = found.sort((a, b) => b.rank - a.rank || b.position - a.position)[0];
  return best?.letter ?? null;
}
