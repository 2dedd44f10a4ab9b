// Asks one question with one method and budget: chooses tokens, lets the model answer, scores the answer.

import { type Backend, type Budget, selectTokens, textCoverage, visionCoverage } from '@mmtok/core';
import { resolveBudget, sum } from '@mmtok/core/internal';
import { MethodError, PruningError } from '../errors.js';
import { checkPicks, type Method } from '../methods/method.js';
import type { Sample, Task } from '../tasks/task.js';
import type { AgentCache, AgentReply, EvalModel, ImageFeatures, ModelImage, TokenBudget } from './model.js';
import { ALL, type EvalRecord } from './records.js';

// How many tokens a budget allows for an image and question, and the method's choice of them, timed.

/** A choice of tokens, and how long it took. */
export interface Choice {
  readonly indices: readonly number[];
  readonly selectMs: number;
}

/** Counts tokens for one question. A coverage budget is resolved once, for all methods. */
export class TokenChooser {
  private readonly backend: Backend;
  private readonly seed: number;
  private readonly counts = new Map<string, number>();

  constructor(backend: Backend, seed: number) {
    this.backend = backend;
    this.seed = seed;
  }

  /**
   * Chooses the tokens of one image.
   * @throws MethodError unless the picks are `tokens` distinct indices. Methods not made with `defineMethod` are checked too.
   */
  async choose(
    method: Method,
    { imageIndex, ...features }: ImageFeatures,
    tokens: number,
    excluded: readonly number[] = [],
  ): Promise<Choice> {
    const started = performance.now();
    const picks = await method.select(features, {
      tokens,
      excluded,
      backend: this.backend,
      seed: this.seed + imageIndex,
    });
    const selectMs = performance.now() - started;
    return { indices: checkPicks(method.name, picks, features.vision.dims[0] as number, tokens), selectMs };
  }

  /** The budgets of a question's images, if known: a coverage budget must be counted first. */
  budgets(budget: Budget, imageCount: number): TokenBudget[] | undefined {
    if (!('coverage' in budget)) return Array.from({ length: imageCount }, () => budget);
    const counts = Array.from({ length: imageCount }, (_, imageIndex) =>
      this.counts.get(keyOf(budget, imageIndex)),
    );
    return counts.every((count) => count !== undefined) ? counts.map((tokens) => ({ tokens })) : undefined;
  }

  /**
   * Resolves a coverage budget for one image: as many tokens as MMTok needs to reach it. All methods get the same number, so that
   * they can be compared.
   */
  async count(
    budget: Budget,
    { imageIndex, vision, visionFeatures, text }: ImageFeatures,
    exclude: readonly number[] = [],
  ): Promise<void> {
    const { indices } = await selectTokens({
      backend: this.backend,
      coverage: [textCoverage(), visionCoverage()],
      vision,
      ...(visionFeatures && { visionFeatures }),
      ...(text && { text }),
      budget,
      constraints: { exclude },
    });
    this.counts.set(keyOf(budget, imageIndex), indices.length);
  }

  /** Records that an image has too few tokens to prune. */
  countAll(budget: Budget, imageIndex: number, visionTokens: number): void {
    const key = keyOf(budget, imageIndex);
    if (!this.counts.has(key)) this.counts.set(key, visionTokens);
  }
}

function keyOf(budget: Budget, imageIndex: number): string {
  return `${imageIndex} ${JSON.stringify(budget)}`;
}

// One answer of a run: a question with one method at one budget, asked, scored, and turned into a record.

/** A method at a budget, or all tokens. */
export interface Job {
  readonly method: Method | undefined;
  readonly budget: string;
  readonly parsed: Budget | undefined;
}

/** What is evaluated. */
export interface EvalSubject {
  readonly task: Task;
  readonly model: EvalModel;
}

/** What all jobs of a question share. */
export interface QuestionContext {
  readonly chooser: TokenChooser;
  readonly agents: AgentCache;
  /** See {@link EvalRecord.digest}. */
  readonly digest: string;
}

/**
 * Asks and scores.
 * @throws PruningError if the model keeps other tokens than chosen, or does not prune at all.
 */
export async function askQuestion(
  subject: EvalSubject,
  sample: Sample,
  job: Job,
  { chooser, agents, digest }: QuestionContext,
): Promise<EvalRecord> {
  const { task, model } = subject;
  const { method, budget, parsed } = job;
  const asked = method?.agent && (await agents.ask(method.agent));
  const budgets = parsed && (await budgetsOf(subject, sample, parsed, chooser));
  const choices = new Map<number, Choice>();
  const fit = method?.resizes && budgets && (await fitOf(subject, sample, method.name, budgets));
  const { text, images, timings } = await model.answer({
    images: sample.images,
    prompt: task.prompt(sample),
    maxNewTokens: task.maxNewTokens,
    ...(asked && asked.added.length > 0 && { words: asked.added }),
    ...(fit && { fitTokens: fit.tokens }),
    ...(method &&
      fit === undefined &&
      budgets && {
        prune: {
          budget: budgets,
          select: async (features, tokens, excluded) => {
            const choice = await chooser.choose(method, features, tokens, excluded);
            choices.set(features.imageIndex, choice);
            return choice.indices;
          },
          ...(method.needs.includes('positions') && { keepsPositions: true }),
        },
      }),
  });
  const names = { model: model.name, method: method?.name ?? ALL, question: sample.id };
  if (fit !== undefined) assertFits(images, fit, names);
  else if (budgets !== undefined) assertPruned(images, choices, budgets, names);
  const chosen = [...choices.values()];
  const [first] = images;
  const { value, parsed: read, details } = task.score(text, sample);
  return {
    id: sample.id,
    method: method?.name ?? ALL,
    budget,
    ...(sample.kind !== undefined && { kind: sample.kind }),
    ...(sample.group !== undefined && { group: sample.group }),
    image: sample.images[0]?.path ?? sample.images[0]?.id ?? '',
    question: sample.question,
    digest,
    target: sample.target,
    answer: text,
    score: { value, ...(read !== undefined && { parsed: read }), ...(details && { details }) },
    visionTokens: fit?.visionTokens ?? sum(images.map((image) => image.visionTokens)),
    keptTokens: sum(images.map(({ indices }) => indices.length)),
    ...(method &&
      first &&
      fit === undefined &&
      images.length === 1 && {
        indices: first.indices,
        ...(first.grid && { grid: first.grid }),
        ...(first.tiling && { tiling: first.tiling }),
      }),
    encodeMs: round(timings.encodeMs),
    selectMs: round(sum(chosen.map(({ selectMs }) => selectMs))),
    ...(asked && agentFacts(asked)),
    prefillMs: round(timings.prefillMs),
    decodeMs: round(timings.decodeMs),
  };
}

function agentFacts({ answer, added, ms }: AgentReply): Pick<EvalRecord, 'agent' | 'agentMs'> {
  return { agentMs: round(ms), agent: { answer, added } };
}

/**
 * The budget of each image. A coverage budget is resolved for the question alone: with an agent's words it would give another
 * number, and methods would no longer be compared at the same one.
 */
async function budgetsOf(
  { task, model }: EvalSubject,
  sample: Sample,
  budget: Budget,
  chooser: TokenChooser,
): Promise<TokenBudget[]> {
  const imageCount = sample.images.length;
  const known = chooser.budgets(budget, imageCount);
  if (known !== undefined) return known;
  const { images } = await model.answer({
    images: sample.images,
    prompt: task.prompt(sample),
    maxNewTokens: 1,
    prune: {
      budget: { tokens: 1 },
      select: async (features, _, excluded = []) => {
        await chooser.count(budget, features, excluded);
        return [firstAllowed(excluded)];
      },
    },
  });
  for (const [imageIndex, { visionTokens }] of images.entries())
    chooser.countAll(budget, imageIndex, visionTokens);
  return chooser.budgets(budget, imageCount) as TokenBudget[];
}

/** The first token that is not excluded. */
function firstAllowed(excluded: readonly number[]): number {
  const barred = new Set(excluded);
  let token = 0;
  while (barred.has(token)) token++;
  return token;
}

/** How many vision tokens a resized image may cost, and how many the original costs. */
interface FitTokens {
  readonly tokens: number;
  readonly visionTokens: number;
}

/** @throws MethodError for questions about several images: models only count the tokens of a single one. */
async function fitOf(
  { task, model }: EvalSubject,
  sample: Sample,
  method: string,
  [budget]: readonly TokenBudget[],
): Promise<FitTokens> {
  const counts = await model.countTokens?.({ images: sample.images, prompt: task.prompt(sample) });
  const [visionTokens] = counts ?? [];
  if (budget === undefined || visionTokens === undefined || counts?.length !== 1) {
    throw new MethodError(
      method,
      `question '${sample.id}' is not about a single image; leave this method out`,
    );
  }
  return { tokens: resolveBudget(budget, visionTokens).max, visionTokens };
}

interface Names {
  readonly model: string;
  readonly method: string;
  readonly question: string;
}

/** @throws PruningError if the model did not make the image small enough. */
function assertFits(images: readonly ModelImage[], { tokens }: FitTokens, { model, question }: Names): void {
  const kept = sum(images.map(({ visionTokens }) => visionTokens));
  if (kept >= 1 && kept <= tokens) return;
  throw new PruningError(
    `The model '${model}' saw ${kept} vision tokens for question '${question}', but its image may cost at most ${tokens}`,
  );
}

/** @throws PruningError if an image kept other tokens than were chosen, or its method was not asked. */
function assertPruned(
  images: readonly ModelImage[],
  choices: ReadonlyMap<number, Choice>,
  budgets: readonly TokenBudget[],
  { model, method, question }: Names,
): void {
  for (const [imageIndex, { visionTokens, indices, isExhausted }] of images.entries()) {
    const chosen = choices.get(imageIndex)?.indices.length;
    if (chosen === undefined && isExhausted) continue;
    const budget = budgets[imageIndex];
    const isLarger = budget !== undefined && resolveBudget(budget, visionTokens).max < visionTokens;
    if (chosen === undefined && isLarger) {
      throw new PruningError(
        `The model '${model}' answered question '${question}' without letting '${method}' choose, so nothing was pruned`,
      );
    }
    if (indices.length === (chosen ?? visionTokens)) continue;
    throw new PruningError(
      `The model '${model}' kept ${indices.length} tokens for question '${question}', where '${method}' chose ${chosen ?? 'all'}`,
    );
  }
}

/** Rounded to microseconds. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000;
