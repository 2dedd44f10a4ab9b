// Model files in browsers: the page's server, and the cache in which transformers.js keeps downloads.

import type { FileCache, LibraryEnv, Location, PlatformFiles } from './model-files.js';

/** What pages and workers provide in addition to the language. */
interface Web {
  readonly caches?: { open(name: string): Promise<FileCache> };
  readonly location?: { readonly href: string };
  readonly navigator?: object;
}

const web = globalThis as Web;

async function openCache(env: LibraryEnv): Promise<FileCache | undefined> {
  if (env.useBrowserCache === false || web.caches === undefined) return undefined;
  // In a cross-site frame or a private window, the cache may exist but refuse access.
  return await web.caches.open(env.cacheKey ?? 'transformers-cache').catch(() => undefined);
}

async function fetched(location: Location, fetchFile: typeof fetch): Promise<{ readonly bytes: Uint8Array }> {
  const response = await fetchFile(location);
  if (!response.ok) throw new Error(`${location}: ${response.status} ${response.statusText}`.trim());
  return { bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** The browser implementation of `#files`. Sources are hub ids, or paths on the page's server such as `/models/smolvlm`. */
export const platform: PlatformFiles = {
  modelFolder: () => undefined,
  openCache,
  readLocal: async (location, env) => await fetched(location, env?.fetch ?? fetch),
  beside: (location, name) => new URL(name, new URL(location, web.location?.href)).href,
  devices(wanted) {
    const gpu = web.navigator !== undefined && 'gpu' in web.navigator ? ['webgpu'] : [];
    return wanted === 'auto' ? [...gpu, 'wasm'] : gpu;
  },
  // Threads of idle sessions were measured in Node only.
  sessionOptions: {},
  download: async (url, env) => await fetched(url, env.fetch ?? fetch),
};
