// Decides for each row whether to ask the agent, and adds what it answers to the question.

import type { RawImage } from '@huggingface/transformers';
import { type Float32Tensor, keywords } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { PromptMismatchError } from '../errors/prompt-mismatch-error.js';
import type { VisionRows } from '../features/vision-features.js';
import type { Site } from '../hook/site.js';
import type { ResolvedOptions } from '../options.js';
import type { PlacedImage, Prompt } from '../prompt/prompt.js';
import { type Question, type WeightedWords, withWords } from '../question/question.js';
import { rowQuestions, textRows } from '../question/row-questions.js';
import type { AgentReport } from './agent-report.js';
import { type Asked, askAgent } from './ask-agent.js';
import { informativeness } from './informativeness.js';

/** The questions of a batch after the agent, and what it added. */
export interface AgentTurn {
  readonly questions: readonly Question[];
  /** One per row. */
  readonly reports: readonly AgentReport[];
  readonly notes: readonly string[];
  /** Milliseconds spent waiting for the agent. */
  readonly waitMs: number;
}

/** The images of a prompt, and the agent if it is being asked already. */
export interface AgentMaterial {
  readonly images: readonly PlacedImage[];
  readonly vision: VisionRows;
  readonly early: Promise<Asked> | undefined;
}

/**
 * Asks the agent before the images are encoded, where that was wished and nothing speaks against it.
 * @param ended tells that the answer is not needed any more.
 */
export function askEarly(
  site: Site,
  options: ResolvedOptions,
  prompt: Prompt,
  ended: AbortSignal,
): Promise<Asked> | undefined {
  const { agent, images } = options;
  if (agent?.parallel !== true || agent.when === 'auto' || images === undefined) return undefined;
  const [question, ...others] = rowQuestions(site, options, prompt);
  if (question === undefined || others.length > 0 || question.source === 'tokens') return undefined;
  return askAgent(agent, images, question.text, ended);
}

/**
 * The questions of all rows with what the agent adds; nothing without an agent.
 * @throws PromptMismatchError if the call does not hand in one picture per image.
 */
export async function enrichQuestions(
  site: Site,
  options: ResolvedOptions,
  prompt: Prompt,
  material: AgentMaterial,
): Promise<AgentTurn | undefined> {
  const { agent } = options;
  if (agent === undefined) return undefined;
  const pictures = picturesOf(options.images, material.images);
  const questions: Question[] = [];
  const reports: AgentReport[] = [];
  let waitMs = 0;
  for (const [row, question] of rowQuestions(site, options, prompt).entries()) {
    const own = pictures.filter((_, at) => material.images[at]?.row === row);
    const measured =
      agent.when === 'auto' ? await measure(site, options, prompt, question, row, material) : {};
    const isClear = (measured.informativeness ?? 0) >= agent.threshold && agent.when === 'auto';
    if (question.source === 'tokens' || own.length === 0 || isClear) {
      questions.push(question);
      reports.push({ state: 'notAsked', answers: [], added: [], ms: 0, ...measured });
      continue;
    }
    const started = performance.now();
    const asked = await (material.early ?? askAgent(agent, own, question.text));
    waitMs += performance.now() - started;
    const added = addedWords(asked, question, options);
    questions.push(withWords(options.processor, question, added));
    const words = added.flatMap((group) => group.words);
    reports.push({ ...reportOf(asked, words), ...measured });
  }
  const notes = reports.flatMap(({ problem }) =>
    problem === undefined ? [] : [`the agent failed: ${problem}; the selection went on without its answer`],
  );
  return { questions, reports, notes, waitMs };
}

/** The pictures of the call, one per image of the prompt. */
function picturesOf(
  pictures: readonly RawImage[] | undefined,
  images: readonly PlacedImage[],
): readonly RawImage[] {
  if (pictures?.length === images.length) return pictures;
  throw new PromptMismatchError(
    `the agent is to see ${images.length} images, but the call has ${pictures?.length ?? 0} in its option images; ` +
      'give one per image: generate({ ...inputs, mmtok: { images: [image] } }), or mmtok: { agent: false }',
  );
}

async function measure(
  site: Site,
  options: ResolvedOptions,
  prompt: Prompt,
  question: Question,
  row: number,
  { images, vision }: AgentMaterial,
): Promise<{ readonly informativeness?: number }> {
  const own = images.filter((image) => image.row === row);
  const first = own[0]?.units[0]?.start;
  if (first === undefined) return {};
  const tokens = own.reduce((sum, image) => sum + image.tokens, 0);
  const text = await textRows(site, prompt, question);
  const rows = slice(vision.projected, first, tokens);
  return { informativeness: await informativeness(options.backend, rows, text, site.family.textTemperature) };
}

function slice({ data, dims }: Float32Tensor, start: number, rows: number): Float32Tensor {
  const width = dims[1] as number;
  return float32(data.subarray(start * width, (start + rows) * width), [rows, width]);
}

/** The words of each reply, and how much they count; each word once, and none that counts nothing. */
function addedWords({ replies }: Asked, question: Question, options: ResolvedOptions): WeightedWords[] {
  const known = new Set(question.words.map((word) => word.toLowerCase()));
  const own = (answer: string): string[] =>
    keywords(answer, options.keywords === false ? {} : options.keywords).filter(
      (word) => !known.has(word.toLowerCase()),
    );
  const seen = new Set<string>();
  return replies.map(({ answer, added = own(answer), weight = 1 }) => {
    const words = weight === 0 ? [] : [...new Set(added)].filter((word) => !seen.has(word));
    for (const word of words) seen.add(word);
    return { words, weight };
  });
}

function reportOf({ replies, problem, isTimedOut, ms }: Asked, added: readonly string[]): AgentReport {
  const answers = replies.map(({ answer }) => answer);
  if (problem !== undefined)
    return { state: isTimedOut ? 'timedOut' : 'failed', answers, added, problem, ms };
  return { state: added.length > 0 ? 'enriched' : 'nothingAdded', answers, added, ms };
}
