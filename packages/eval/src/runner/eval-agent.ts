// What an evaluation needs of an agent: a first answer and the words that it adds. How answers become words is its own.

import { InvalidOptionsError } from '@mmtok/core';
import type { AgentRole, Method } from '../methods/method.js';
import type { ImageSource, Sample, Task } from '../tasks/task.js';
import { RunError } from './run-error.js';

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
