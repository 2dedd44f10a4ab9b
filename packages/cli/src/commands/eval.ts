// `mmtok eval <task>`: the same questions for several methods and budgets; each answer is kept as it comes.

import { resolve } from 'node:path';
import { type RunOptions, runEvaluation, summarizeRun, taskNames } from '@mmtok/eval';
import type { BackendName } from '../backends/create-backend.js';
import { UsageError } from '../errors/usage-error.js';
import { print, printJson } from '../io.js';
import { evalAgent, evalOracle } from '../models/eval-agents.js';
import { isEmbedded } from '../models/load-vlm.js';
import type { VlmOptions } from '../models/vlm.js';
import type { Context } from './context.js';
import { namedMethods, runnableMethods } from './eval-methods.js';
import { createEvalProgress } from './eval-progress.js';
import { printEvaluation } from './eval-tables.js';
import { resolveTask } from './eval-tasks.js';

/** What `mmtok eval <task>` was asked for. */
export interface EvalRequest
  extends Pick<RunOptions, 'budgets' | 'limit' | 'seed' | 'shard' | 'from' | 'command'> {
  readonly task: string;
  readonly model: string;
  /** Names and module paths. */
  readonly methods: readonly string[];
  /** A model that answers first, for methods with an agent. */
  readonly agent?: string;
  readonly backend: BackendName;
  readonly device?: string;
  readonly dtype?: VlmOptions['dtype'];
  readonly promptTemplate?: string;
  readonly out: string;
  readonly json: boolean;
}

/**
 * Runs an evaluation, or goes on with one, and prints its table.
 * @throws UsageError, InputFileError, InvalidOptionsError, InvalidBudgetError for what was asked.
 * @throws RunError if the folder holds another run; PruningError if nothing was pruned.
 */
export async function evaluate(request: EvalRequest, { io, services }: Context): Promise<void> {
  const { model, agent: agentName, device, dtype, promptTemplate, json, ...run } = request;
  const hasAgent = agentName !== undefined;
  const named = await namedMethods(request.methods, io.cwd, hasAgent);
  const task = await resolveTask(request.task, io.cwd);
  if (taskNames.includes(request.task) && isEmbedded(model)) {
    throw new UsageError(
      `The model '${model}' knows nothing but drawn shapes, and '${task.name}' does not ask about these: ` +
        'name another, e.g. --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct.',
    );
  }
  const where = { ...(device !== undefined && { device }), ...(dtype !== undefined && { dtype }) };
  const progress = createEvalProgress(io.stderr);
  const opened: { dispose(): Promise<void> }[] = [];
  const open = <T extends { dispose(): Promise<void> }>(part: T): T => {
    opened.unshift(part);
    return part;
  };
  try {
    const backend = open(await services.createBackend(request.backend));
    const vlm = open(
      await services.loadEvalModel(
        { model, ...where, ...(promptTemplate !== undefined && { promptTemplate }) },
        io,
      ),
    );
    const agent =
      agentName === undefined
        ? undefined
        : evalAgent(agentName, open(await services.loadAgent({ model: agentName, ...where }, io)));
    const { methods, notes } = runnableMethods(named, vlm, hasAgent);
    for (const note of notes) print(io.stderr, `note: ${note}`);
    const result = await runEvaluation({
      ...run,
      task,
      model: vlm,
      methods,
      agents: { oracle: evalOracle, ...(agent && { agent }) },
      backend,
      out: resolve(io.cwd, request.out),
      onProgress: progress.show,
    });
    progress.clear();
    const summary = summarizeRun(result);
    if (json) printJson(io.stdout, summary);
    else printEvaluation(summary, request.out, io);
  } finally {
    progress.clear();
    for (const part of opened) await part.dispose();
  }
}
