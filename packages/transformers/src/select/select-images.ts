// Selects the vision tokens of a prompt: questions in, one result per pool out.

import { type Float32Tensor, type ObjectiveTerm, textCoverage, visionCoverage } from '@mmtok/core';
import type { Asked } from '../agent/ask-agent.js';
import { type AgentTurn, enrichQuestions } from '../agent/enrich-questions.js';
import type { VisionEntry } from '../features/vision-cache.js';
import type { VisionRows } from '../features/vision-features.js';
import type { Site } from '../hook/site.js';
import type { ResolvedOptions } from '../options.js';
import type { PlacedImage, Prompt } from '../prompt/prompt.js';
import type { Question } from '../question/question.js';
import { rowQuestions, textRows } from '../question/row-questions.js';
import type { PruneReason } from '../report/prune-report.js';
import { numberAt, section } from '../upstream/types.js';
import { excludedRows } from './excluded-rows.js';
import type { Pool } from './pools.js';
import { asksForAll, keepPool, type PoolResult, selectPool } from './select-pools.js';

/** What was selected, and from which text. */
export interface Chosen {
  readonly results: readonly PoolResult[];
  /** One per row; empty where nothing had to be selected. */
  readonly questions: readonly Question[];
  /** What the agent added to them. Absent without an agent. */
  readonly agents?: AgentTurn;
  readonly standardised: boolean;
  readonly notes: readonly string[];
}

/** The images of a prompt. */
export interface ImageMaterial {
  readonly vision: VisionRows;
  readonly images: readonly PlacedImage[];
  readonly pools: readonly Pool[];
  readonly entry: VisionEntry;
  /** The agent, if it is being asked already. */
  readonly early: Promise<Asked> | undefined;
}

/** Selects in every pool that asks for less than all of its tokens. */
export async function selectImages(
  site: Site,
  options: ResolvedOptions,
  prompt: Prompt,
  { vision, images, pools, entry, early }: ImageMaterial,
): Promise<Chosen> {
  const excluded = excludedRows(
    images,
    options,
    numberAt(section(site.model.config, 'vision_config'), 'image_size'),
  );
  const reasonToKeep = (pool: Pool): PruneReason | undefined => {
    const { length } = prompt.slots[pool.row] as readonly number[];
    if (length < options.minVisionTokens) return 'belowMinVisionTokens';
    const isCut = Array.from(excluded).some((row) => row >= pool.start && row < pool.start + pool.tokens);
    return asksForAll(pool) && !isCut ? 'belowBudget' : undefined;
  };
  const whole = pools.flatMap((pool) => {
    const reason = reasonToKeep(pool);
    return reason === undefined ? [] : [keepPool(pool, reason)];
  });
  if (whole.length === pools.length) {
    return { results: whole, questions: [], standardised: false, notes: [] };
  }
  const agents = await enrichQuestions(site, options, prompt, { images, vision, early });
  const questions = agents?.questions ?? rowQuestions(site, options, prompt);
  const texts: (Float32Tensor | undefined)[] = [];
  for (const question of questions) texts.push(await textRows(site, prompt, question));
  const material = { options, vision, texts, excluded, entry };
  const results: PoolResult[] = [];
  for (const pool of pools) {
    const terms = options.coverage ?? defaultCoverage(site.family.textTemperature);
    const coverage = weighted(terms, questions[pool.row]?.weights);
    const kept = whole.find((one) => one.pool === pool);
    results.push(kept ?? (await selectPool(pool, { ...material, coverage })));
  }
  const notes = new Set(results.flatMap(({ selection }) => selection?.notes ?? []));
  const isWeighted = questions.some((question) => question.weights !== undefined);
  if (isWeighted && options.coverage?.some(takesWeights) === false) {
    notes.add(
      'no term of coverage takes the weights of the question: none counts text tokens without weights',
    );
  }
  const standardised = results.some((one) => one.standardised === true);
  if (standardised) notes.add('the vision features were standardised per dimension');
  for (const note of agents?.notes ?? []) notes.add(note);
  return { results, questions, ...(agents && { agents }), standardised, notes: [...notes] };
}

const defaults = new Map<number, readonly ObjectiveTerm[]>();

/** The paper's objective at a family's temperature: one object per temperature, so that prepared images are found again. */
function defaultCoverage(temperature: number): readonly ObjectiveTerm[] {
  const known = defaults.get(temperature) ?? [textCoverage({ temperature }), visionCoverage()];
  defaults.set(temperature, known);
  return known;
}

/** Whether a term has a target per text token, as `textCoverage()` has, and no weights of its own for them. */
function takesWeights(term: ObjectiveTerm): boolean {
  return (
    term.kind === 'coverage' &&
    'text' in term.inputs &&
    term.targets === 'm' &&
    term.targetWeights === undefined
  );
}

/** Terms with the weights of the question's tokens, where they take them; the very same where there are none. */
function weighted(
  terms: readonly ObjectiveTerm[],
  targetWeights: readonly number[] | undefined,
): readonly ObjectiveTerm[] {
  if (targetWeights === undefined) return terms;
  return terms.map((term) => (takesWeights(term) ? { ...term, targetWeights } : term));
}
