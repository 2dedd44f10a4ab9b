// One answer of a run: the question with one method at one budget, asked, scored, and put into a record.

import type { Budget } from '@mmtok/core';
import type { Selector } from '../methods/selector.js';
import { sum } from '../metrics/mean.js';
import type { Sample, Task } from '../tasks/task.js';
import type { Choice, TokenChooser } from './choose-tokens.js';
import type { AgentDesk, AskedAgent } from './eval-agent.js';
import type { EvalModel } from './eval-model.js';
import { ALL, type EvalRecord } from './record.js';
import { PruningError } from './run-error.js';

/** A method at a budget, or all tokens. */
export interface Job {
  readonly method: Selector | undefined;
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
  if (asked && parsed) await countWithoutWords(asking, sample, parsed, chooser);
  const choices: Choice[] = [];
  const { text, images, timings } = await model.answer({
    images: sample.images,
    prompt: task.prompt(sample),
    maxNewTokens: task.maxNewTokens,
    ...(asked && asked.added.length > 0 && { words: asked.added }),
    ...(method &&
      parsed && {
        choose: async (features) => {
          const choice = await chooser.choose(method, parsed, choices.length, features);
          choices.push(choice);
          return choice.indices;
        },
      }),
  });
  const keptTokens = sum(images.map(({ indices }) => indices.length));
  const chosen = sum(choices.map(({ indices }) => indices.length));
  if (method !== undefined && (choices.length === 0 || keptTokens !== chosen)) {
    throw new PruningError(
      choices.length === 0
        ? `The model '${model.name}' answered question '${sample.id}' without letting '${method.name}' choose, so nothing was pruned`
        : `The model '${model.name}' kept ${keptTokens} tokens for question '${sample.id}', where '${method.name}' chose ${chosen}`,
    );
  }
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
    visionTokens: sum(images.map((image) => image.visionTokens)),
    keptTokens,
    ...(method &&
      first &&
      images.length === 1 && { indices: first.indices, ...(first.grid && { grid: first.grid }) }),
    encodeMs: round(timings.encodeMs),
    selectMs: round(sum(choices.map(({ selectMs }) => selectMs))),
    ...(asked && agentFacts(asked)),
    prefillMs: round(timings.prefillMs),
    decodeMs: round(timings.decodeMs),
  };
}

function agentFacts({ answer, added, ms }: AskedAgent): Pick<EvalRecord, 'agent' | 'agentMs'> {
  return { agentMs: round(ms), agent: { answer, added } };
}

/**
 * What a coverage budget comes to is the question's own to say: with an agent's words it would be another number, and
 * methods would not be compared at the same one.
 */
async function countWithoutWords(
  { task, model }: Asking,
  sample: Sample,
  budget: Budget,
  chooser: TokenChooser,
): Promise<void> {
  if (chooser.isCounted(budget, sample.images.length)) return;
  let picture = 0;
  await model.answer({
    images: sample.images,
    prompt: task.prompt(sample),
    maxNewTokens: 1,
    choose: async (features) => {
      const count = await chooser.count(budget, picture++, features);
      return Array.from({ length: count }, (_, token) => token);
    },
  });
}

/** Microseconds are enough. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000;
