// Finds the methods that a command line names: built-in ones, and those that a module exports.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  builtInMethods,
  defineMethod,
  type EvalModel,
  findMethods,
  METHOD_NEEDS,
  type Method,
  type MethodNeed,
} from '@mmtok/eval';
import { InputFileError, UsageError } from '../../errors.js';
import { loadsInTime } from './module-trial.js';

/** `--methods all`: every method that this model and command line can run, except oracles. */
const ALL_METHODS = 'all';

/** The methods that `--methods` names. What `all` stands for is known once the model is loaded. */
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
      `Method '${waiting.name}' needs a model that answers first, e.g. --agent tiny-small.`,
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

/** Adds what `all` stands for with this model. */
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
  return [`left out of all: ${methods.map(({ name }) => name).join(', ')}, because ${why}`];
}

async function importMethods(path: string, cwd: string): Promise<Method[]> {
  let module: { readonly default?: unknown };
  try {
    const { href } = pathToFileURL(resolve(cwd, path));
    await loadsInTime(href);
    module = await import(href);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputFileError(path, `it cannot be loaded as a module (${reason})`, { cause });
  }
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
    const reason = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
    throw new InputFileError(path, reason, { cause });
  }
}

function isMethod(value: unknown): value is Method {
  return typeof (value as Partial<Method> | null | undefined)?.select === 'function';
}
