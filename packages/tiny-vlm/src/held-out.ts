// The held-out questions for evaluating the model. Their scenes ship as data and are drawn here when first requested.
import { createHash } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { files } from '#files';
import { parseLines } from './files.js';
import { type ModelSize, questionFolder } from './model-size.js';
import type { Scene } from './scenes/scene.js';
import { drawSceneFiles } from './scenes/scene-files.js';
import { TinyVlmError } from './tiny-vlm-error.js';
import type { VisualQuestion } from './visual-question.js';

/** Increment it when `drawScene` changes its pixels, so that images drawn by an older version are not reused. */
const DRAWING_VERSION = 1;

/** Which held-out set, how much of it, and where its images go. */
export interface HeldOutOptions {
  /** The model whose scenes to use: the tiled model has its own set, the others share one. @default 'base' */
  readonly size?: ModelSize;
  /** Maximum number of questions. The kinds alternate, so each gets its share. @default all */
  readonly limit?: number;
  /** Folder for the drawn images. @default a folder of `mmtok` in the user's cache folder */
  readonly folder?: string;
}

/** A question as stored in its file. */
interface SceneQuestion extends Omit<VisualQuestion, 'image'> {
  /** Index of its scene. */
  readonly scene: number;
}

/**
 * The evaluation set, in scene order: 200 questions of each kind, 1,800 in all, or 100 of each, 1,100 in all, for the tiled
 * model. Neither the questions nor their scenes were used in training.
 *
 * The images are PNG files, drawn when first requested, which takes a few seconds for all of them. Later calls, in this
 * process or another, reuse them.
 * @throws TinyVlmError `MMTOK_INVALID_OPTIONS` for an unknown size, or a limit that is not a whole number above 0;
 * `MMTOK_IMAGES_NOT_WRITTEN` if the folder cannot be written to.
 * @example
 * const report = await evaluate({ answer: vlm.ask, questions: await heldOut({ limit: 90 }) });
 */
export async function heldOut({
  size = 'base',
  limit,
  folder,
}: HeldOutOptions = {}): Promise<VisualQuestion[]> {
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    throw new TinyVlmError(
      'MMTOK_INVALID_OPTIONS',
      `heldOut() was given the limit ${limit}: expected a whole number of questions above 0, or none for all`,
    );
  }
  const source = questionFolder('heldout', size);
  const [questionText, sceneText] = await Promise.all(
    ['questions.jsonl', 'scenes.jsonl'].map((name) => files.readText(`${source}/${name}`)),
  );
  const questions = parseLines<SceneQuestion>(questionText!).slice(0, limit);
  const scenes = parseLines<Scene>(sceneText!);
  const target = folder ?? join(cacheFolder(), `held-out-${digest(sceneText!)}`);
  await drawSceneFiles(target, new Map(questions.map(({ scene }) => [fileName(scene), scenes[scene]!])));
  return questions.map(({ scene, ...question }) => ({ ...question, image: join(target, fileName(scene)) }));
}

function fileName(scene: number): string {
  return `${String(scene).padStart(4, '0')}.png`;
}

function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mmtok');
}

/** A key that distinguishes images of other scenes, or drawn by another version. */
function digest(scenes: string): string {
  return createHash('sha256').update(`${DRAWING_VERSION}\n${scenes}`).digest('hex').slice(0, 12);
}
