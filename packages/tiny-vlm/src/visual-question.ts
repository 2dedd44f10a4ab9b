// One question about one image, and the kinds of question there are.

/** The kinds of question that all models were trained on, in the order that tables show them. */
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
 * What a question asks for: `existence` (is there …?), `color`, `shape`, `size` (small, large), `background` (its color),
 * `count` (how many), `location` (left or right half, top or bottom half), `relation` (left or right, above or below
 * another), `description` (what the image shows: mostly what, on what). Of the tiled model alone: `detail` (which mark an object
 * bears: dot, bar, none), `reading` (what is written on a sign).
 */
export type QuestionKind = (typeof tiledQuestionKinds)[number];

/** A question about an image, with the answer expected. */
export interface VisualQuestion {
  /** Absolute path of the image file. */
  readonly image: string;
  /** The question in ordinary English. */
  readonly question: string;
  /** The expected answer: one lower-case word, or several for a description; the characters of a sign stand apart. */
  readonly answer: string;
  readonly kind: QuestionKind;
}
