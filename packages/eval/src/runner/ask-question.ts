// One answer of a run: the question with one method at one budget, asked, scored, and put into a record.

import type { Budget } from '@mmtok/core';
import { resolveBudget, sum } from '@mmtok/core/internal';
import type { Method } from '../methods/method.js';
import { MethodError } from '../methods/method-error.js';
import type { Sample, Task } from '../tasks/task.js';
import type { Choice, TokenChooser } from './choose-tokens.js';
import type { AgentDesk, AskedAgent } from './eval-agent.js';
import type { EvalModel, ModelImage, TokenBudget } from './eval-model.js';
import { ALL, type EvalRecord } from './record.js';
import { PruningError } from './run-error.js';

/** A method at a budget, or all tokens. */
export interface Job {
  readonly method: Method | undefined;
  readonly budget: string;
  readonly parsed: Budget | undefined;
}

/** Who is asked. */
export interface Asking {
  readonly task: Task;
  readonly model: EvalModel;
}

/** What belongs to one question, for all its jobs. */
export interface Desk {
  readonly chooser: TokenChooser;
  readonly desk: AgentDesk;
  /** See {@link EvalRecord.digest}. */
  readonly digest: string;
}

/**
 * Asks and scores.
 * @throws PruningError if the model prunes otherwise than told, or not at all.
 */
export async function askQuestion(
  asking: Asking,
  sample: Sample,
  job: Job,
  { chooser, desk, digest }: Desk,
): Promise<EvalRecord> {
  const { task, model } = asking;
  const { method, budget, parsed } = job;
  const asked = method?.agent && (await desk.ask(method.agent));
  const budgets = parsed && (await budgetsOf(asking, sample, parsed, chooser));
  const choices = new Map<number, Choice>();
  const fit = method?.resizes && budgets && (await fitOf(asking, sample, method.name, budgets));
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
          select: async (features, tokens) => {
            const choice = await chooser.choose(method, features, tokens);
            choices.set(features.picture, choice);
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
  const { value, parsed: read, facts } = task.score(text, sample);
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
    score: { value, ...(read !== undefined && { parsed: read }), ...(facts && { facts }) },
    visionTokens: fit?.visionTokens ?? sum(images.map((image) => image.visionTokens)),
    keptTokens: sum(images.map(({ indices }) => indices.length)),
    ...(method &&
      first &&
      fit === undefined &&
      images.length === 1 && { indices: first.indices, ...(first.grid && { grid: first.grid }) }),
    encodeMs: round(timings.encodeMs),
    selectMs: round(sum(chosen.map(({ selectMs }) => selectMs))),
    ...(asked && agentFacts(asked)),
    prefillMs: round(timings.prefillMs),
    decodeMs: round(timings.decodeMs),
  };
}

function agentFacts({ answer, added, ms }: AskedAgent): Pick<EvalRecord, 'agent' | 'agentMs'> {
  return { agentMs: round(ms), agent: { answer, added } };
}

/**
 * The budget of each picture. What a coverage budget comes to is the question's own to say: with an agent's words it would be
 * another number, and methods would not be compared at the same one.
 */
async function budgetsOf(
  { task, model }: Asking,
  sample: Sample,
  budget: Budget,
  chooser: TokenChooser,
): Promise<TokenBudget[]> {
  const pictures = sample.images.length;
  const known = chooser.budgets(budget, pictures);
  if (known !== undefined) return known;
  const { images } = await model.answer({
    images: sample.images,
    prompt: task.prompt(sample),
    maxNewTokens: 1,
    prune: {
      budget: { tokens: 1 },
      select: async (features) => {
        await chooser.count(budget, features);
        return [0];
      },
    },
  });
  for (const [picture, { visionTokens }] of images.entries()) chooser.countAll(budget, picture, visionTokens);
  return chooser.budgets(budget, pictures) as TokenBudget[];
}

/** What a picture may cost, and what it would. */
interface FitTokens {
  readonly tokens: number;
  readonly visionTokens: number;
}

/** @throws MethodError for questions about several pictures, of which models cannot tell what each costs. */
async function fitOf(
  { task, model }: Asking,
  sample: Sample,
  method: string,
  [budget]: readonly TokenBudget[],
): Promise<FitTokens> {
  const counts = await model.countTokens?.({ images: sample.images, prompt: task.prompt(sample) });
  const [visionTokens] = counts ?? [];
  if (budget === undefined || visionTokens === undefined || counts?.length !== 1) {
    throw new MethodError(
      method,
      `question '${sample.id}' is not about a single picture; leave the method out`,
    );
  }
  return { tokens: resolveBudget(budget, visionTokens).max, visionTokens };
}

interface Names {
  readonly model: string;
  readonly method: string;
  readonly question: string;
}

/** @throws PruningError if the model did not make the picture small enough. */
function assertFits(images: readonly ModelImage[], { tokens }: FitTokens, { model, question }: Names): void {
  const kept = sum(images.map(({ visionTokens }) => visionTokens));
  if (kept >= 1 && kept <= tokens) return;
  throw new PruningError(
    `The model '${model}' saw ${kept} vision tokens for question '${question}', where its picture was to cost at most ${tokens}`,
  );
}

/** @throws PruningError if a picture kept other tokens than were chosen, or its method was not asked. */
function assertPruned(
  images: readonly ModelImage[],
  choices: ReadonlyMap<number, Choice>,
  budgets: readonly TokenBudget[],
  { model, method, question }: Names,
): void {
  for (const [picture, { visionTokens, indices }] of images.entries()) {
    const chosen = choices.get(picture)?.indices.length;
    const budget = budgets[picture];
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

/** Microseconds are enough. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000;
