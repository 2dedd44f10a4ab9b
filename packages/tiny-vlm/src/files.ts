// The package's own files: models, samples and held-out questions. On disk in Node, on some server for browsers.
// They are written by training/tiny_vlm, not by users, so their content is not checked.

/** Finds and reads files of this package by their paths within it, such as `samples/0.png`. "imports" in package.json chooses. */
export interface PackageFiles {
  /**
   * What names a file to `RawImage.read` and to people: an absolute path in Node, a URL in browsers.
   * @param baseUrl where the package is served; nothing in Node.
   * @throws TinyVlmError `MMTOK_INVALID_OPTIONS` in browsers without a base URL.
   */
  locate(path: string, baseUrl: string | URL | undefined): string;
  /** What names a model's folder to `from_pretrained`. Throws as {@link locate} does. */
  modelSource(path: string, baseUrl: string | URL | undefined): string;
  /** @throws TinyVlmError `MMTOK_QUESTIONS_MISSING` when the file is not there. */
  readText(path: string, baseUrl?: string | URL): Promise<string>;
}

/** The values of a text that has one in JSON on each line. */
export function parseLines<T>(text: string): T[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
