// The precomputed examples: the code of the page's worker, run in Node on the embedded models.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createOrtBackend } from '@mmtok/ort-backend';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { createVlm, families } from '@mmtok/transformers';
import { type AnswerChange, answerChanges } from '../src/lib/precomputed.js';
import { stopsOf } from '../src/lib/scale.js';
import { DEFAULT_TILES, type TileChoice } from '../src/lib/tiles.js';
import type {
  AnswerResult,
  EmbeddedSize,
  MethodName,
  PrecomputedExample,
  RankingMethod,
} from '../src/lib/types.js';
import { analyze } from '../src/worker/analyze.js';
import { answer } from '../src/worker/answer.js';

/** The examples of one embedded model. */
interface Examples {
  readonly size: EmbeddedSize;
  /** What the keys of its images start with; also the folder of its examples. */
  readonly prefix: string;
  /** One budget for the comparison. */
  readonly tokens: number;
  readonly tiles?: TileChoice;
  /** The question about each sample image. */
  readonly questions: readonly (readonly [scene: number, question: string])[];
}

const EXAMPLES: readonly Examples[] = [
  {
    size: 'base',
    prefix: '',
    tokens: 57,
    questions: [
      [0, 'What shape is the purple object?'],
      [1, 'What color is the triangle?'],
      [2, 'Is the purple square above or below the red cross?'],
      [3, 'Describe the image.'],
      [4, 'What size is the red cross?'],
      [5, 'Count the green crosses.'],
    ],
  },
  {
    size: 'tiled',
    prefix: 'signs/',
    tokens: 27,
    tiles: DEFAULT_TILES,
    questions: [
      [0, 'What is written on the sign?'],
      [1, 'Count the pink objects.'],
      [2, 'Read the green sign.'],
      [3, 'Is the mark on the cross a dot or a bar?'],
      [4, 'Read the sign.'],
      [5, 'Which mark does the pink circle have?'],
    ],
  },
];
/** Runs of each method, one after another in turn. The run with the median time counts. */
const ROUNDS = 5;
const METHODS: readonly MethodName[] = ['mmtok', 'focus', 'divprune', 'random', 'uniform'];

/**
 * Writes one file per sample image, or only some of them.
 * @param only what the names of the images start with: `signs/` for the tiled model's, `signs/3` for one of them.
 */
export async function precompute(folder: string, only = ''): Promise<void> {
  for (const examples of EXAMPLES) {
    const wanted = examples.questions.filter(([scene]) => `${examples.prefix}${scene}`.startsWith(only));
    if (wanted.length > 0) await precomputeSome(folder, { ...examples, questions: wanted });
  }
}

async function precomputeSome(
  folder: string,
  { size, prefix, tokens, tiles, questions }: Examples,
): Promise<void> {
  const tiny = await loadTinyVlm({ size });
  const vlm = await createVlm(tiny);
  const backend = await createOrtBackend({ model: tiny.model });
  const family = families.find(({ modelTypes }) => modelTypes.includes(tiny.modelType));
  const textTemperature = family?.status === 'pruned' ? family.textTemperature : 0.02;
  const paths = [...new Set((await samples({ size })).map(({ image }) => image))];
  for (const [scene, question] of questions) {
    const path = paths.find((one) => one.endsWith(`${scene}.png`)) as string;
    const image = await tiny.library.RawImage.fromBlob(new Blob([readFileSync(path)]));
    const { analysis } = await analyze(vlm, backend, { image, question, tiles, textTemperature });
    const encoded = analysis.rankings.mmtok.order.length;
    const ask = (keep: number | false, method: MethodName = 'mmtok'): Promise<AnswerResult> =>
      answer(vlm, image, { question, keep, tiles, method, maxNewTokens: 16 });
    const { text: all } = await ask(false);
    const answersBy = async (method: RankingMethod): Promise<readonly AnswerChange[]> => {
      const answers: AnswerChange[] = [];
      for (const stop of stopsOf(encoded)) {
        answers.push([stop, stop === analysis.visionTokens ? all : (await ask(stop, method)).text]);
      }
      return answerChanges(answers);
    };
    const kept = { mmtok: await answersBy('mmtok'), focus: await answersBy('focus') };
    const rounds: AnswerResult[][] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const answers: AnswerResult[] = [];
      for (const method of METHODS) answers.push(await ask(tokens, method));
      rounds.push(answers);
    }
    const results: Partial<Record<MethodName, AnswerResult>> = {};
    METHODS.forEach((method, at) => {
      results[method] = medianRun(rounds.map((answers) => answers[at] as AnswerResult));
    });
    const example: PrecomputedExample = {
      image: `${prefix}${scene}.png`,
      question,
      ...(tiles && { tiles }),
      analysis,
      all,
      kept,
      comparison: { tokens, results },
    };
    mkdirSync(join(folder, prefix), { recursive: true });
    writeFileSync(join(folder, `${prefix}${scene}.json`), `${JSON.stringify(rounded(example))}\n`);
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
