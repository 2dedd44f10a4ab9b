// The package's own files: models, samples, and held-out questions. They are on disk in Node and on a server for browsers.
// training/tiny_vlm writes them, so their content is not validated.

/** Finds and reads files of this package by their paths within it, such as `samples/0.png`. "imports" in package.json chooses. */
export interface PackageFiles {
  /**
   * The location of a file, for `RawImage.read`: an absolute path in Node, a URL in browsers.
   * @param baseUrl where the package is served; ignored in Node.
   * @throws TinyVlmError `MMTOK_INVALID_OPTIONS` in browsers without a base URL.
   */
  locate(path: string, baseUrl: string | URL | undefined): string;
  /** The location of a model's folder, for `from_pretrained`. Throws as {@link locate} does. */
  modelSource(path: string, baseUrl: string | URL | undefined): string;
  /** Options of ONNX Runtime for a model's sessions, unless the caller sets them. */
  readonly sessionOptions: Readonly<Record<string, unknown>>;
  /** @throws TinyVlmError `MMTOK_QUESTIONS_MISSING` if the file is missing. */
  readText(path: string, baseUrl?: string | URL): Promise<string>;
}

/** Parses JSON lines. */
export function parseLines<T>(text: string): T[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}
