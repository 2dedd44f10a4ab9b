// Files in browsers: the page's server, the cache in which transformers.js keeps downloads, and Cache Storage.

import type { FileCache, LibraryEnv, Location, PlatformFiles, ProfileStore } from './model-files.js';

/** A cache of Cache Storage. */
interface WebCache {
  match(url: string): Promise<Response | undefined>;
  put(url: string, response: Response): Promise<void>;
}

/** What pages and workers provide in addition to the language. */
interface Web {
  readonly caches?: { open(name: string): Promise<WebCache> };
  readonly location?: { readonly href: string };
  readonly navigator?: { readonly userAgent?: string; readonly hardwareConcurrency?: number };
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

const PROFILES = 'mmtok-profiles';
/** Cache Storage is keyed by URL. This URL is never fetched. */
const addressOf = (key: string): string => `https://mmtok.invalid/profiles/${key}.json`;

/** Profiles as entries of Cache Storage, which private windows and insecure pages do not have. */
const profiles: ProfileStore = {
  async read(key) {
    try {
      const cache = await web.caches?.open(PROFILES);
      return (await (await cache?.match(addressOf(key)))?.json()) as unknown;
    } catch {
      return undefined;
    }
  },
  async write(key, profile) {
    try {
      const cache = await web.caches?.open(PROFILES);
      await cache?.put(addressOf(key), new Response(JSON.stringify(profile)));
    } catch {
      // The quota is exceeded or storage is blocked: measure again on the next visit.
    }
  },
  machine: () => `${web.navigator?.userAgent ?? ''} × ${web.navigator?.hardwareConcurrency ?? ''}`,
};

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
  profiles,
  // Threads of idle sessions were measured in Node only.
  sessionOptions: {},
  download: async (url, env) => await fetched(url, env.fetch ?? fetch),
};
