// The methods that a command line names: built-in ones, and a user's own from a module.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { builtInMethods, findMethods, type Selector } from '@mmtok/eval';
import { InputFileError } from '../errors/input-file-error.js';

/** What `--methods all` stands for: all that no model has to supply a saliency for. */
const ALL_METHODS = 'all';

/**
 * Finds methods by the names of `--methods`. An entry with a slash, or one that ends with .js or .mjs, is a module
 * whose default export is a method of `defineMethod`, or several.
 * @throws InvalidOptionsError for unknown names.
 * @throws InputFileError for a module that cannot be loaded, or exports no methods.
 */
export async function resolveMethods(names: readonly string[], cwd: string): Promise<Selector[]> {
  const methods: Selector[] = [];
  for (const name of names) {
    if (name === ALL_METHODS)
      methods.push(...builtInMethods.filter(({ needs }) => !needs.includes('saliency')));
    else if (/[/\\]|\.m?js$/.test(name)) methods.push(...(await importMethods(name, cwd)));
    else methods.push(...findMethods([name]));
  }
  return methods.filter((method, at) => methods.findIndex(({ name }) => name === method.name) === at);
}

async function importMethods(path: string, cwd: string): Promise<Selector[]> {
  let module: { readonly default?: unknown };
  try {
    module = await import(pathToFileURL(resolve(cwd, path)).href);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputFileError(path, `it cannot be loaded as a module (${reason})`, { cause });
  }
  const exported = [module.default].flat();
  if (exported.every(isMethod) && exported.length > 0) return exported;
  throw new InputFileError(
    path,
    'its default export is no method; export what defineMethod() or coverageMethod() of @mmtok/eval returns, or an array',
  );
}

function isMethod(value: unknown): value is Selector {
  const method = value as Partial<Selector> | undefined;
  return (
    typeof method?.select === 'function' && typeof method.name === 'string' && Array.isArray(method.needs)
  );
}
