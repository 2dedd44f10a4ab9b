// Overrides members of the callable objects of transformers.js, such as processors, without changing them.

interface Callable {
  _call(...given: unknown[]): unknown;
}

/** A callable object that overrides some members. All other members come from the original, which is not modified. */
export function withMembers<T extends object>(original: T, members: Readonly<Record<string, unknown>>): T {
  const proxy = (...given: unknown[]): unknown => (proxy as unknown as Callable)._call(...given);
  Object.setPrototypeOf(proxy, original);
  for (const [name, value] of Object.entries(members)) Object.defineProperty(proxy, name, { value });
  return proxy as unknown as T;
}
