// The package's files in browsers, where the caller serves the package's folders and passes their URL.
import type { PackageFiles } from './files.js';
import { TinyVlmError } from './tiny-vlm-error.js';

function urlOf(path: string, baseUrl: string | URL | undefined): URL {
  if (baseUrl === undefined) {
    throw new TinyVlmError('MMTOK_INVALID_OPTIONS', 'Expected a baseUrl, got none', {
      hint: "In a browser, pass the URL where the folders of @mmtok/tiny-vlm are served: { baseUrl: '/tiny-vlm/' }.",
    });
  }
  const { href } = (globalThis as { location?: { href: string } }).location ?? {};
  try {
    return new URL(path, new URL(String(baseUrl).replace(/\/?$/, '/'), href));
  } catch (cause) {
    throw new TinyVlmError(
      'MMTOK_INVALID_OPTIONS',
      `Expected a baseUrl such as '/tiny-vlm/' or 'https://example.org/tiny-vlm/', got '${baseUrl}'`,
      { cause },
    );
  }
}

/** The implementation of `#files` for browsers. */
export const files: PackageFiles = {
  locate: (path, baseUrl) => urlOf(path, baseUrl).href,
  modelSource(path, baseUrl) {
    // transformers.js accepts paths on the page's server and rejects URLs with a scheme; a URL without one counts as a path.
    const { host, pathname } = urlOf(path, baseUrl);
    return `//${host}${pathname}`;
  },
  sessionOptions: {},
  async readText(path, baseUrl) {
    const url = urlOf(path, baseUrl);
    const response = await fetch(url).catch((cause: unknown) => {
      throw missing(url, 'no answer', cause);
    });
    if (!response.ok) throw missing(url, String(response.status));
    return await response.text();
  },
};

const missing = (url: URL, why: string, cause?: unknown): TinyVlmError =>
  new TinyVlmError('MMTOK_QUESTIONS_MISSING', `Found no file ${url} (${why})`, {
    hint: 'Serve the folders of @mmtok/tiny-vlm there, or pass another baseUrl.',
    cause,
  });
