// What a run evaluates: a model that prunes, and an agent that answers first.

import { type Budget, InvalidOptionsError } from '@mmtok/core';
import type { ImageTiling } from '@mmtok/core/internal';
import type { ImageSource } from '../data/folder.js';
import { RunError } from '../errors.js';
import type { AgentRole, Method, MethodFeatures, MethodNeed } from '../methods/method.js';
import type { Sample, Task } from '../tasks/task.js';

// What an evaluation needs from a model: it answers questions about images and lets a method choose the vision tokens.

/** What a model passes to a method for one image. */
export interface ImageFeatures extends MethodFeatures {
  /** Index of the image in the question. */
  readonly imageIndex: number;
}

/** How many tokens of an image to keep; coverage budgets have been resolved to counts. */
export type TokenBudget = Exclude<Budget, { readonly coverage: number }>;

/** How to prune. */
export interface ModelPruning {
  /** One per image, or one for all. */
  readonly budget: TokenBudget | readonly TokenBudget[];
  /**
   * Chooses `tokens` vision tokens of one image. Called for each image with more tokens than its budget. The model must keep the
   * returned tokens, in raster order. `excluded`: tokens that must not be kept, e.g. those of tiles that were not encoded.
   */
  readonly select: (
    features: ImageFeatures,
    tokens: number,
    excluded?: readonly number[],
  ) => Promise<readonly number[]>;
  /** Whether kept tokens keep their positions in the full prompt. If so, features include these. */
  readonly keepsPositions?: boolean;
}

/** One question. */
export interface ModelRequest {
  /** Images with the same `id` in successive requests are encoded once. */
  readonly images: readonly ImageSource[];
  /** The user text, without image placeholders. */
  readonly prompt: string;
  readonly maxNewTokens: number;
  /** Words from an agent's answer, to be added to the question in the `text` passed to `select`. */
  readonly words?: readonly string[];
  /**
   * Resize each image so that it costs at most this many vision tokens, and keep all of them. Only set for models that give
   * `'resolution'`.
   */
  readonly fitTokens?: number;
  /** Absent: keep all tokens, otherwise on the same path, so that times are comparable. */
  readonly prune?: ModelPruning;
}

/** The result for one image. */
export interface ModelImage {
  readonly visionTokens: number;
  /** Kept tokens, ascending. */
  readonly indices: readonly number[];
  /** `[rows, columns]`, if the tokens form one grid. */
  readonly grid?: readonly [rows: number, columns: number];
  /** How the image was split, if it was and its tiles are known. */
  readonly tiling?: ImageTiling;
  /** The method was not asked, because the budget allows all tokens that can be kept, e.g. those of the encoded tiles. */
  readonly isExhausted?: true;
}

/** Milliseconds per phase. The runner itself times the method. */
export interface ModelTimings {
  /** The vision encoder; 0 if the image was already encoded. */
  readonly encodeMs: number;
  /** Prefill: the language model over the prompt. */
  readonly prefillMs: number;
  /** Decoding of the answer. */
  readonly decodeMs: number;
}

/** An answer with its times. */
export interface ModelAnswer {
  readonly text: string;
  readonly images: readonly ModelImage[];
  readonly timings: ModelTimings;
}

/** A model under evaluation. */
export interface EvalModel {
  /** Shown in records and reports. */
  readonly name: string;
  /**
   * Its configuration, e.g. `{ dtype: 'q4' }`. A run can be resumed only with a model of the same name and options. `tiles` says
   * which tiles pruned calls encode, e.g. `'5'`; absent if they encode all.
   */
  readonly options?: Readonly<Record<string, string>>;
  /** What it passes to methods besides vision tokens. @default `['question']` */
  readonly gives?: readonly MethodNeed[];
  answer(request: ModelRequest): Promise<ModelAnswer>;
  /** Number of vision tokens of each image before the question is answered; absent if the model cannot tell. */
  countTokens?(request: Pick<ModelRequest, 'images' | 'prompt'>): Promise<readonly number[]>;
}

// What an evaluation needs from an agent: an answer beforehand, and the words it adds to the question.

/** The question for an agent. */
export interface AgentQuestion {
  readonly images: readonly ImageSource[];
  /** The user text, as the model will get it. */
  readonly prompt: string;
}

/** The agent's reply. */
export interface AgentWords {
  readonly answer: string;
  /** The words to add to the question; may be empty. */
  readonly added: readonly string[];
}

/** Answers before the model does. */
export interface EvalAgent {
  /** Shown in reports. A run can be resumed only with an agent of the same name. */
  readonly name: string;
  ask(question: AgentQuestion): Promise<AgentWords>;
}

/** Who answers for methods with an agent. */
export interface EvalAgents {
  readonly agent?: EvalAgent;
  /** Turns the right answer of a question, which the task knows, into words. */
  readonly oracle?: (question: AgentQuestion, referenceAnswer: string) => AgentWords;
}

/** The words for one question, and how long they took. */
export interface AgentReply extends AgentWords {
  readonly ms: number;
}

/** @throws InvalidOptionsError if a method's agent is not there. */
export function assertAgents(methods: readonly Method[], agents: EvalAgents): void {
  const missing = methods.filter(({ agent }) => agent !== undefined && agents[agent] === undefined);
  if (missing.length === 0) return;
  throw new InvalidOptionsError(
    'methods',
    missing.map(({ name, agent }) => `'${name}' needs an agent; pass agents: { ${agent}: … }`),
  );
}

/** Asks agents about one question, each at most once, however many methods and budgets there are. */
export class AgentCache {
  private readonly agents: EvalAgents;
  private readonly task: Task;
  private readonly sample: Sample;
  private readonly asked = new Map<AgentRole, AgentReply>();

  constructor(agents: EvalAgents, task: Task, sample: Sample) {
    this.agents = agents;
    this.task = task;
    this.sample = sample;
  }

  /** @throws RunError if an oracle is asked for an answer that the task does not know. */
  async ask(role: AgentRole): Promise<AgentReply> {
    const known = this.asked.get(role);
    if (known !== undefined) return known;
    const question = { images: this.sample.images, prompt: this.task.prompt(this.sample) };
    const started = performance.now();
    const { answer, added } = await (role === 'agent' ? this.askModel(question) : this.askOracle(question));
    const asked = { answer, added, ms: role === 'agent' ? performance.now() - started : 0 };
    this.asked.set(role, asked);
    return asked;
  }

  private async askModel(question: AgentQuestion): Promise<AgentWords> {
    return await (this.agents.agent as EvalAgent).ask(question);
  }

  private async askOracle(question: AgentQuestion): Promise<AgentWords> {
    const referenceAnswer = this.task.referenceAnswer?.(this.sample);
    if (referenceAnswer === undefined) {
      throw new RunError(
        `The task '${this.task.name}' has no right answers for an oracle to use; leave it out`,
      );
    }
    return (this.agents.oracle as NonNullable<EvalAgents['oracle']>)(question, referenceAnswer);
  }
}
