// What a run evaluates: a model that prunes, and an agent that answers first.

import { type Budget, InvalidOptionsError } from '@mmtok/core';
import type { ImageSource } from '../data/folder.js';
import { RunError } from '../errors.js';
import type { AgentRole, Method, MethodFeatures, MethodNeed } from '../methods/method.js';
import type { Sample, Task } from '../tasks/task.js';

// What an evaluation needs of a model: answer a question about pictures, and let a method choose the vision tokens.

/** What a model hands to a method for one picture. */
export interface ImageFeatures extends MethodFeatures {
  /** The number of the picture among the question's. */
  readonly picture: number;
}

/** How many tokens of a picture to keep: budgets that do not depend on coverage. */
export type TokenBudget = Exclude<Budget, { readonly coverage: number }>;

/** How a model is to prune. */
export interface ModelPruning {
  /** For each picture, or one for all. */
  readonly budget: TokenBudget | readonly TokenBudget[];
  /**
   * Chooses `tokens` vision tokens of one picture; called for each that has more than its budget allows. The model goes on
   * with the tokens that come back, in raster order.
   */
  readonly select: (features: ImageFeatures, tokens: number) => Promise<readonly number[]>;
  /** Whether kept tokens keep the positions of the full prompt, and features tell these. */
  readonly keepsPositions?: boolean;
}

/** One question. */
export interface ModelRequest {
  /** A model keeps a picture encoded for as long as requests name the same pictures by `id`. */
  readonly images: readonly ImageSource[];
  /** The user text, without image placeholders. */
  readonly prompt: string;
  readonly maxNewTokens: number;
  /** Words of a first answer, which join the question's in the `text` that is handed to `select`. Absent for none. */
  readonly words?: readonly string[];
  /** Absent: the model keeps all tokens, on the same path otherwise, so that times compare. */
  readonly prune?: ModelPruning;
}

/** What became of one picture. */
export interface ModelImage {
  readonly visionTokens: number;
  /** Kept tokens, ascending. */
  readonly indices: readonly number[];
  /** `[rows, columns]` where the tokens form one grid. */
  readonly grid?: readonly [rows: number, columns: number];
}

/** Milliseconds per phase; the runner itself times the method. */
export interface ModelTimings {
  /** The vision encoder; 0 where the picture was encoded already. */
  readonly encodeMs: number;
  /** The language model over the prompt. */
  readonly prefillMs: number;
  /** The language model over the answer. */
  readonly decodeMs: number;
}

/** An answer, and what it took. */
export interface ModelAnswer {
  readonly text: string;
  readonly images: readonly ModelImage[];
  readonly timings: ModelTimings;
}

/** A model under evaluation. */
export interface EvalModel {
  /** Shown in records and reports. */
  readonly name: string;
  /** How it runs, e.g. `{ dtype: 'q4' }`: a run goes on with a model of the same name and options only. */
  readonly options?: Readonly<Record<string, string>>;
  /** What it hands to methods beside vision tokens. @default `['question']` */
  readonly gives?: readonly MethodNeed[];
  answer(request: ModelRequest): Promise<ModelAnswer>;
  /** Vision tokens of each picture of a question, before it is answered; absent where a model cannot tell. */
  countTokens?(request: Pick<ModelRequest, 'images' | 'prompt'>): Promise<readonly number[]>;
}

// What an evaluation needs of an agent: a first answer and the words that it adds. How answers become words is its own.

/** What an agent is asked. */
export interface AgentQuestion {
  readonly images: readonly ImageSource[];
  /** The user text, as the model will see it. */
  readonly prompt: string;
}

/** What came of it. */
export interface AgentWords {
  readonly answer: string;
  /** The words that join the question's; there may be none. */
  readonly added: readonly string[];
}

/** Answers before the model does. */
export interface EvalAgent {
  /** Shown in reports; a run goes on with an agent of the same name only. */
  readonly name: string;
  ask(question: AgentQuestion): Promise<AgentWords>;
}

/** Who answers for methods with an agent. */
export interface EvalAgents {
  readonly agent?: EvalAgent;
  /** Turns the true answer of a question, which is the task's to tell, into words. */
  readonly oracle?: (question: AgentQuestion, truth: string) => AgentWords;
}

/** The words for one question, and how long they took. */
export interface AskedAgent extends AgentWords {
  readonly ms: number;
}

/** @throws InvalidOptionsError if a method's agent is not there. */
export function assertAgents(methods: readonly Method[], agents: EvalAgents): void {
  const missing = methods.filter(({ agent }) => agent !== undefined && agents[agent] === undefined);
  if (missing.length === 0) return;
  throw new InvalidOptionsError(
    'methods',
    missing.map(
      ({ name, agent }) => `'${name}' needs an answer beforehand; hand over agents: { ${agent}: … }`,
    ),
  );
}

/** Asks agents about one question, each at most once, however many methods and budgets there are. */
export class AgentDesk {
  private readonly agents: EvalAgents;
  private readonly task: Task;
  private readonly sample: Sample;
  private readonly asked = new Map<AgentRole, AskedAgent>();

  constructor(agents: EvalAgents, task: Task, sample: Sample) {
    this.agents = agents;
    this.task = task;
    this.sample = sample;
  }

  /** @throws RunError if an oracle is asked for an answer that the task does not know. */
  async ask(role: AgentRole): Promise<AskedAgent> {
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
    const truth = this.task.truth?.(this.sample);
    if (truth === undefined) {
      throw new RunError(
        `The task '${this.task.name}' does not tell true answers, so that there can be no oracle; leave it out`,
      );
    }
    return (this.agents.oracle as NonNullable<EvalAgents['oracle']>)(question, truth);
  }
}
