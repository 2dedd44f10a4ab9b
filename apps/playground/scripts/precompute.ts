// The precomputed examples: the code of the page's worker, run in Node on the embedded model.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOrtBackend } from '@mmtok/ort-backend';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { createVlm, families } from '@mmtok/transformers';
import { type AnswerChange, answerChanges } from '../src/lib/precomputed.js';
import { stopsOf } from '../src/lib/scale.js';
import type { AnswerResult, MethodName, PrecomputedExample, RankingMethod } from '../src/lib/types.js';
import { analyze } from '../src/worker/analyze.js';
import { answer } from '../src/worker/answer.js';

/** The question about each sample image, and one budget for the comparison. */
const QUESTIONS: readonly (readonly [scene: number, question: string])[] = [
  [0, 'What shape is the purple object?'],
  [1, 'What color is the triangle?'],
  [2, 'Is the purple square above or below the red cross?'],
  [3, 'Describe the image.'],
  [4, 'What size is the red cross?'],
  [5, 'Count the green crosses.'],
];
const TOKENS = 57;
/** Runs of each method, one after another in turn. The run with the median time counts. */
const ROUNDS = 5;
const METHODS: readonly MethodName[] = ['mmtok', 'focus', 'divprune', 'random', 'uniform'];

/** Writes one file per sample image, or only the one with the given number. */
export async function precompute(folder: string, only?: string): Promise<void> {
  const tiny = await loadTinyVlm();
  const vlm = await createVlm(tiny);
  const backend = await createOrtBackend({ model: tiny.model });
  const family = families.find(({ modelTypes }) => modelTypes.includes('llava'));
  const textTemperature = family?.status === 'pruned' ? family.textTemperature : 0.02;
  const paths = [...new Set((await samples()).map(({ image }) => image))];
  for (const [scene, question] of QUESTIONS) {
    if (only !== undefined && Number(only) !== scene) continue;
    const path = paths[scene] as string;
    const image = await tiny.library.RawImage.fromBlob(new Blob([readFileSync(path)]));
    const { analysis } = await analyze(vlm, backend, { image, question, textTemperature });
    const ask = (keep: number | false, method: MethodName = 'mmtok'): Promise<AnswerResult> =>
      answer(vlm, image, { question, keep, method, maxNewTokens: 16 });
    const { text: all } = await ask(false);
    const answersBy = async (method: RankingMethod): Promise<readonly AnswerChange[]> => {
      const answers: AnswerChange[] = [];
      for (const stop of stopsOf(analysis.visionTokens).slice(0, -1)) {
        answers.push([stop, (await ask(stop, method)).text]);
      }
      return answerChanges([...answers, [analysis.visionTokens, all]]);
    };
    const kept = { mmtok: await answersBy('mmtok'), focus: await answersBy('focus') };
    const rounds: AnswerResult[][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const answers: AnswerResult[] = [];
      for (const method of METHODS) answers.push(await ask(TOKENS, method));
      rounds.push(answers);
    }
    const results: Partial<Record<MethodName, AnswerResult>> = {};
    METHODS.forEach((method, at) => {
      results[method] = medianRun(rounds.map((answers) => answers[at] as AnswerResult));
    });
    const example: PrecomputedExample = {
      image: `${scene}.png`,
      question,
      analysis,
      all,
      kept,
      comparison: { tokens: TOKENS, results },
    };
    writeFileSync(join(folder, `${scene}.json`), `${JSON.stringify(rounded(example))}\n`);
  }
  await vlm.dispose();
  await tiny.model.dispose();
}

/** The run that took the median time. */
function medianRun(runs: readonly AnswerResult[]): AnswerResult {
  const totalMs = ({ phases }: AnswerResult): number =>
    Object.values(phases).reduce((sum, ms) => sum + ms, 0);
  const sorted = runs.toSorted((a, b) => totalMs(a) - totalMs(b));
  return sorted[Math.floor(sorted.length / 2)] as AnswerResult;
}

/** Times to a tenth of a millisecond. */
function rounded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      name.endsWith('Ms') ? Math.round((each as number) * 10) / 10 : rounded(each),
    ]),
  );
}
