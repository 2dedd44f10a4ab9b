// The methods that a command line names, built in or exported by a module, and `mmtok eval methods`, which lists them.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { messageOf } from '@mmtok/core/internal';
import {
  builtInMethods,
  defineMethod,
  type EvalModel,
  findMethods,
  METHOD_NEEDS,
  type Method,
  type MethodNeed,
  needsInWords,
} from '@mmtok/eval';
import { InputFileError, orInputFileError, UsageError } from '../../errors.js';
import { TINY_SMALL } from '../../options.js';
import { print, printJson } from '../../terminal/io.js';
import { type Column, renderTable } from '../../terminal/text.js';
import type { Context } from '../context.js';

/** `--methods all`: every method that this model and command line can run, except oracles. */
const ALL_METHODS = 'all';

/** The methods that `--methods` names. What `all` includes is known once the model is loaded. */
export interface NamedMethods {
  readonly named: readonly Method[];
  readonly wantsAll: boolean;
}

/**
 * Finds methods by name. An entry with a slash, or one that ends in .js or .mjs, is a module whose default export is a
 * method made by `defineMethod`, or an array of them.
 * @throws InvalidOptionsError for unknown names.
 * @throws UsageError for a method that needs an agent if there is none, and for two methods of one name.
 * @throws InputFileError for a module that cannot be loaded, or exports no methods.
 */
export async function namedMethods(
  names: readonly string[],
  cwd: string,
  hasAgent: boolean,
): Promise<NamedMethods> {
  const named: Method[] = [];
  for (const name of names.filter((one) => one !== ALL_METHODS)) {
    if (/[/\\]|\.m?js$/.test(name)) named.push(...(await importMethods(name, cwd)));
    else named.push(...findMethods([name]));
  }
  const wantsAll = names.includes(ALL_METHODS);
  // Records identify a method by its name.
  const different = [...new Set([...named, ...(wantsAll ? builtInMethods : [])])].map(({ name }) => name);
  const twice = different.find((name, at) => different.indexOf(name) < at);
  if (twice !== undefined) {
    throw new UsageError(
      `--methods: two methods are named '${twice}'. Rename yours: answers are stored under the method's name.`,
    );
  }
  const waiting = named.find(({ agent }) => agent === 'agent');
  if (waiting !== undefined && !hasAgent) {
    throw new UsageError(
      `Method '${waiting.name}' needs a model that answers first, e.g. --agent ${TINY_SMALL}.`,
    );
  }
  return { named, wantsAll };
}

/** The methods to run, and notes on those that `all` leaves out. */
export interface RunnableMethods {
  readonly methods: readonly Method[];
  readonly notes: readonly string[];
}

/** Why a model does not meet a need. */
const SUPPLIES: Readonly<Record<MethodNeed, string>> = {
  question: 'provides no text',
  saliency: 'provides no saliency (an encoder output vision_saliency)',
  positions: 'does not report the positions of its tokens',
  resolution: 'turns every image into the same number of vision tokens',
};

/** Adds the methods that `all` includes for this model. */
export function runnableMethods(
  { named, wantsAll }: NamedMethods,
  model: Pick<EvalModel, 'name' | 'gives'>,
  hasAgent: boolean,
): RunnableMethods {
  const gives: readonly MethodNeed[] = model.gives ?? ['question'];
  const candidates = wantsAll ? builtInMethods.filter(({ agent }) => agent !== 'oracle') : [];
  const agentless = candidates.filter(({ agent }) => agent === 'agent' && !hasAgent);
  const lacking = METHOD_NEEDS.filter((need) => !gives.includes(need));
  const starved = candidates.filter(({ needs }) => needs.some((need) => lacking.includes(need)));
  const all = candidates.filter((method) => !agentless.includes(method) && !starved.includes(method));
  return {
    methods: [...new Set([...named, ...all])],
    notes: [
      ...lacking.map((need) =>
        leftOut(
          starved.filter(({ needs }) => needs.find((one) => lacking.includes(one)) === need),
          `the model '${model.name}' ${SUPPLIES[need]}`,
        ),
      ),
      leftOut(agentless, 'there is no --agent'),
    ].flat(),
  };
}

function leftOut(methods: readonly Method[], why: string): string[] {
  if (methods.length === 0) return [];
  return [`--methods all leaves out ${methods.map(({ name }) => name).join(', ')}: ${why}`];
}

async function importMethods(path: string, cwd: string): Promise<Method[]> {
  const module = await orInputFileError(path, 'it cannot be loaded as a module', async () => {
    const { href } = pathToFileURL(resolve(cwd, path));
    await loadsInTime(href);
    return (await import(href)) as { readonly default?: unknown };
  });
  const exported = [module.default].flat();
  if (exported.length === 0 || !exported.every(isMethod)) {
    throw new InputFileError(
      path,
      'its default export is not a method; export what defineMethod() or coverageMethod() of @mmtok/eval returns, or an array of them',
    );
  }
  try {
    // Hand-written objects are checked as defineMethod checks its argument.
    return exported.map(defineMethod);
  } catch (cause) {
    throw new InputFileError(path, messageOf(cause).replace(/\.$/, ''), { cause });
  }
}

function isMethod(value: unknown): value is Method {
  return typeof (value as Partial<Method> | null | undefined)?.select === 'function';
}

const COLUMNS: readonly Column[] = [
  { title: 'name' },
  { title: 'method', flexible: true },
  { title: 'needs', maxWidth: 26 },
  { title: 'source' },
];

/** Prints the built-in methods. */
export function listMethods({ json }: { readonly json: boolean }, { io }: Context): void {
  if (json) {
    printJson(
      io.stdout,
      builtInMethods.map(({ name, title, source, needs, agent }) => ({
        name,
        title,
        source,
        needs,
        ...(agent && { agent }),
      })),
    );
    return;
  }
  const rows = builtInMethods.map(({ name, title, source, needs, agent }) => [
    name,
    title,
    needsInWords({ needs: [...needs, ...(agent === undefined ? [] : [agent])] }),
    source,
  ]);
  for (const line of renderTable(COLUMNS, rows, io.stdout.columns ?? 160)) print(io.stdout, line);
}

// Checks that a user's module loads. A module that blocks would block the program, so a worker thread loads it first.

/** The worker's code. It posts why the module failed to load, or null. */
const TRIAL = `
  const { parentPort, workerData } = require('node:worker_threads');
  import(workerData).then(
    () => parentPort.postMessage(null),
    (cause) => parentPort.postMessage(String(cause instanceof Error ? cause.message : cause)),
  );
`;

/** Why a worker ends before it posts anything. */
const ENDED =
  'it ended before it finished loading: it exits the process, or awaits something that never happens';

/** Generous for modules that load models or read files. */
const MODULE_MS = 10_000;

/**
 * Loads a module in a worker thread and discards it. The module runs again when it is imported.
 * @param href the module's URL.
 * @throws Error if it fails, ends its process, or does not load in time.
 */
export async function loadsInTime(href: string, limitMs: number = MODULE_MS): Promise<void> {
  const worker = new Worker(TRIAL, { eval: true, workerData: href, stdout: true, stderr: true });
  let timer: NodeJS.Timeout | undefined;
  try {
    const problem = await new Promise<string | null>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error(ENDED)));
      timer = setTimeout(
        () => reject(new Error(`it did not finish loading within ${limitMs / 1000} s`)),
        limitMs,
      );
    });
    if (problem !== null) throw new Error(problem);
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}
