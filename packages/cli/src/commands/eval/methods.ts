// The methods that a command line names: built-in ones, and a user's own from a module.

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

/** What `--methods all` stands for: every method that this model and command line can run. An oracle is no method. */
const ALL_METHODS = 'all';

/** Methods that `--methods` names, those of `all` apart: which can run is known once there is a model. */
export interface NamedMethods {
  readonly named: readonly Method[];
  readonly wantsAll: boolean;
}

/**
 * Finds methods by name. An entry with a slash, or one that ends with .js or .mjs, is a module whose default export is a
 * method of `defineMethod`, or several.
 * @throws InvalidOptionsError for unknown names.
 * @throws UsageError for a method with an agent where none is loaded, and for two methods of one name.
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
  // Records know a method by its name alone.
  const different = [...new Set([...named, ...(wantsAll ? builtInMethods : [])])].map(({ name }) => name);
  const twice = different.find((name, at) => different.indexOf(name) < at);
  if (twice !== undefined) {
    throw new UsageError(
      `--methods: there are two methods of the name '${twice}'. Give yours another: its answers are kept under its name.`,
    );
  }
  const waiting = named.find(({ agent }) => agent === 'agent');
  if (waiting !== undefined && !hasAgent) {
    throw new UsageError(
      `Method '${waiting.name}' needs a model that answers first. Name one, e.g. --agent tiny-small.`,
    );
  }
  return { named, wantsAll };
}

/** The methods to run, and why some of `all` are left out, in words. */
export interface RunnableMethods {
  readonly methods: readonly Method[];
  readonly notes: readonly string[];
}

/** What a model must have for a need of methods to be met. */
const SUPPLIES: Readonly<Record<MethodNeed, string>> = {
  question: 'hands over no text',
  saliency: 'supplies no saliency (an encoder output vision_saliency)',
  positions: 'does not tell the positions of its tokens',
  resolution: 'makes the same number of vision tokens of every picture',
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
      leftOut(agentless, 'no --agent was named'),
    ].flat(),
  };
}

function leftOut(methods: readonly Method[], why: string): string[] {
  if (methods.length === 0) return [];
  return [`left out of all: ${methods.map(({ name }) => name).join(', ')}, for ${why}`];
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
      'its default export is no method; export what defineMethod() or coverageMethod() of @mmtok/eval returns, or an array',
    );
  }
  try {
    // An object written by hand is held to what defineMethod holds its own to.
    return exported.map(defineMethod);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/\.$/, '') : String(cause);
    throw new InputFileError(path, reason, { cause });
  }
}

function isMethod(value: unknown): value is Method {
  return typeof (value as Partial<Method> | null | undefined)?.select === 'function';
}
