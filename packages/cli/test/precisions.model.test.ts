// The embedded model's precisions give the same answers, with all vision tokens and with a tenth of them chosen by MMTok.
// held-out.model.test.ts checks their accuracy.
import { createOrtBackend } from '@mmtok/ort-backend';
import { heldOut, loadTinyVlm } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';
import { expect, it } from 'vitest';

const QUESTIONS = 45;
/** How many answers of a lower precision may differ from those of full precision. */
const MAY_DIFFER = 4;

it(`fp16 and q8 answer ${QUESTIONS} questions as fp32 does, pruned or not`, async () => {
  const questions = await heldOut({ limit: QUESTIONS });
  const answers: Record<string, readonly string[]> = {};
  for (const dtype of ['fp32', 'fp16', 'q8'] as const) {
    const { model, processor, ask } = await loadTinyVlm({ dtype });
    const backend = await createOrtBackend();
    const handle = prune(model, { processor, backend, budget: { ratio: 0.1 } });
    const askAll = async () => {
      const given: string[] = [];
      for (const { image, question } of questions) given.push(await ask(image, question));
      return given;
    };
    answers[`${dtype}, a tenth`] = await askAll();
    expect(handle.lastReport?.keptTokens).toBe(57);
    await handle.restore();
    answers[`${dtype}, all`] = await askAll();
    await model.dispose();
    await backend.dispose();
  }
  for (const tokens of ['all', 'a tenth']) {
    const full = answers[`fp32, ${tokens}`]!;
    for (const dtype of ['fp16', 'q8']) {
      const differing = full.filter((answer, i) => answer !== answers[`${dtype}, ${tokens}`]?.[i]);
      expect(differing.length, `${dtype}, ${tokens}`).toBeLessThanOrEqual(MAY_DIFFER);
    }
  }
  expect(answers['fp32, a tenth']).not.toEqual(answers['fp32, all']);
});
