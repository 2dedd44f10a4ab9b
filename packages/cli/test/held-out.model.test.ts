// The main job on held-out questions: with a tenth of the vision tokens, the embedded model's answers stay far closer to the unpruned
// ones if MMTok selects the tokens than if they are random.
import { visionCoverage } from '@mmtok/core';
import { createRandom } from '@mmtok/core/internal';
import { createOrtBackend } from '@mmtok/ort-backend';
import { evaluate, heldOut, loadTinyVlm } from '@mmtok/tiny-vlm';
import { type PruneOptions, prune, type Select } from '@mmtok/transformers';
import { expect, it } from 'vitest';

const QUESTIONS = 360;

it(`${QUESTIONS} questions are answered much better with MMTok than with random tokens, at a tenth`, async () => {
  const questions = await heldOut({ limit: QUESTIONS });
  const { model, processor, ask } = await loadTinyVlm();
  const backend = await createOrtBackend();
  /** Asks all questions. @returns the accuracy, the answers, and how many tokens were kept. */
  const askAll = async (options: Pick<PruneOptions, 'budget' | 'coverage' | 'select'>) => {
    const handle = prune(model, { processor, backend, ...options });
    const answers: string[] = [];
    const { overall } = await evaluate({
      questions,
      answer: async (image, question) => {
        const text = await ask(image, question);
        answers.push(text);
        return text;
      },
    });
    const kept = handle.lastReport?.keptTokens;
    await handle.restore();
    return { accuracy: overall.accuracy, answers, kept };
  };
  const draw = createRandom(1);
  const anyTokens: Select = ({ vision }, { tokens }) => {
    const keys = Array.from({ length: vision.dims[0] as number }, (_, token) => ({ token, key: draw() }));
    const shuffled = keys.toSorted((a, b) => a.key - b.key);
    return shuffled.slice(0, tokens).map(({ token }) => token);
  };
  const budget = { ratio: 0.1 };
  const all = await askAll({ budget: { ratio: 1 } });
  const mmtok = await askAll({ budget });
  const focused = await askAll({ budget, coverage: [visionCoverage({ focus: 3 })] });
  const random = await askAll({ budget, select: anyTokens });
  await model.dispose();
  await backend.dispose();
  const agreement = ({ answers }: typeof all): number =>
    answers.filter((answer, i) => answer === all.answers[i]).length / QUESTIONS;

  expect(all.answers).toHaveLength(QUESTIONS);
  expect([all.kept, mmtok.kept, focused.kept, random.kept]).toEqual([576, 57, 57, 57]);
  expect(all.accuracy).toBeGreaterThan(0.95);
  expect(mmtok.accuracy).toBeGreaterThan(0.91);
  expect(focused.accuracy).toBeGreaterThan(0.94);
  expect(random.accuracy).toBeLessThan(0.72);
  expect(mmtok.accuracy - random.accuracy).toBeGreaterThan(0.22);
  expect(agreement(mmtok)).toBeGreaterThan(0.91);
  expect(agreement(mmtok) - agreement(random)).toBeGreaterThan(0.22);
});
