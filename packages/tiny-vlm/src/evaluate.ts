// Accuracy of any function that answers questions about images: the plain model, or the model with pruned vision tokens.
import { TinyVlmError } from './tiny-vlm-error.js';
import { type QuestionKind, tiledQuestionKinds, type VisualQuestion } from './visual-question.js';

/** How many questions were answered correctly. */
export interface Accuracy {
  readonly correct: number;
  readonly total: number;
  /** `correct / total`, from 0 to 1. */
  readonly accuracy: number;
}

/** Accuracy over all questions and over each kind that occurs, in the order of `tiledQuestionKinds`. */
export interface EvaluationReport {
  readonly overall: Accuracy;
  readonly byKind: Readonly<Partial<Record<QuestionKind, Accuracy>>>;
}

/** What to evaluate, and on what. */
export interface EvaluateOptions {
  /** Answers one question about the image at a path, e.g. `TinyVlm.ask`. Called one question at a time. */
  readonly answer: (image: string, question: string) => Promise<string>;
  /** At least one question. */
  readonly questions: readonly VisualQuestion[];
}

/**
 * Asks every question in turn and counts the answers that equal the expected word or phrase, ignoring case and outer spaces.
 *
 * @throws TinyVlmError `MMTOK_NO_QUESTIONS` if there are no questions; `MMTOK_INVALID_OPTIONS` for a question of an unknown
 * kind, or an answer that is not text. Errors of `answer` are rethrown.
 * @example
 * const vlm = await loadTinyVlm();
 * const report = await evaluate({ answer: vlm.ask, questions: await samples() });
 * report.overall.accuracy; // 1
 */
export async function evaluate({ answer, questions }: EvaluateOptions): Promise<EvaluationReport> {
  if (questions.length === 0) {
    throw new TinyVlmError('MMTOK_NO_QUESTIONS', 'Expected at least one question to evaluate on, got none');
  }
  const odd = questions.find(({ kind }) => !tiledQuestionKinds.includes(kind));
  if (odd !== undefined) {
    throw new TinyVlmError(
      'MMTOK_INVALID_OPTIONS',
      `evaluate() was given the question '${odd.question}' of the kind '${odd.kind}': expected one of ${tiledQuestionKinds.join(', ')}`,
    );
  }
  const marks: { kind: QuestionKind; isCorrect: boolean }[] = [];
  for (const { image, question, answer: expected, kind } of questions) {
    const given: unknown = await answer(image, question);
    if (typeof given !== 'string') {
      throw new TinyVlmError(
        'MMTOK_INVALID_OPTIONS',
        `evaluate() expected answer() to return a text, got ${typeof given} for the question '${question}' about '${image}'`,
      );
    }
    marks.push({ kind, isCorrect: given.trim().toLowerCase() === expected });
  }

  const byKind: Partial<Record<QuestionKind, Accuracy>> = {};
  for (const kind of tiledQuestionKinds) {
    const marksOfKind = marks.filter((mark) => mark.kind === kind);
    if (marksOfKind.length > 0) byKind[kind] = tally(marksOfKind);
  }
  return { overall: tally(marks), byKind };
}

function tally(marks: readonly { readonly isCorrect: boolean }[]): Accuracy {
  const correct = marks.filter((mark) => mark.isCorrect).length;
  return { correct, total: marks.length, accuracy: correct / marks.length };
}
