// A question about an image, and the kinds of questions.

/** The kinds of questions that all models were trained on, in the order of the tables. */
export const questionKinds = [
  'existence',
  'color',
  'shape',
  'size',
  'background',
  'count',
  'location',
  'relation',
  'description',
] as const;

/** The kinds that the tiled model was trained on. */
export const tiledQuestionKinds: readonly [...typeof questionKinds, 'detail', 'reading'] = [
  ...questionKinds,
  'detail',
  'reading',
];

/**
 * What a question asks for: `existence` (is there …?), `color`, `shape`, `size` (small or large), `background` (its color),
 * `count` (how many), `location` (left or right half, top or bottom half), `relation` (left of, right of, above, or below
 * another object), or `description` (mostly which objects, on which background). Only for the tiled model: `detail` (the mark on an
 * object: dot, bar, or none) and `reading` (what is written on a sign).
 */
export type QuestionKind = (typeof tiledQuestionKinds)[number];

/** A question about an image, with the expected answer. */
export interface VisualQuestion {
  /** Absolute path of the image file. */
  readonly image: string;
  /** The question in ordinary English. */
  readonly question: string;
  /** The expected answer: one lowercase word, or several for a description; spaces separate the characters of a sign. */
  readonly answer: string;
  readonly kind: QuestionKind;
}
