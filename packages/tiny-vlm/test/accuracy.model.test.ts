// The card's accuracy on many held-out questions. `pnpm test` asks fewer: see model.test.ts.
import { afterAll, beforeAll, describe, test } from 'vitest';
import { loadTinyVlm, type TinyVlm } from '../src/node.js';
import { checkAccuracy, checkGuessing } from './check-accuracy.js';

const QUESTIONS = 360;
/** Hundreds of answers, on a machine that may do other work as well, in ms. */
const PATIENCE = 1_800_000;

describe.each(['base', 'small', 'tiled'] as const)('%s', (size) => {
  let vlm: TinyVlm;
  beforeAll(async () => {
    vlm = await loadTinyVlm({ size });
  });
  afterAll(() => vlm.model.dispose());

  test(
    `answers ${QUESTIONS} held-out questions as well as the README states`,
    () => checkAccuracy(size, QUESTIONS, vlm),
    PATIENCE,
  );
  test('looks at the image', () => checkGuessing(size, QUESTIONS, vlm), PATIENCE);
});
