// Stores profiles in the browser, as entries of Cache Storage.

import type { ProfileStore } from './profile-store.js';

/** The browser globals used here. */
interface Web {
  readonly caches?: {
    open(name: string): Promise<{
      match(url: string): Promise<Response | undefined>;
      put(url: string, response: Response): Promise<void>;
    }>;
  };
  readonly navigator?: { readonly userAgent?: string; readonly hardwareConcurrency?: number };
}

const web = globalThis as unknown as Web;
const CACHE = 'mmtok-profiles';
/** Cache Storage is keyed by URL. This URL is never fetched. */
const addressOf = (key: string): string => `https://mmtok.invalid/profiles/${key}.json`;

/** The implementation of `#profiles` for browsers. Private windows and insecure pages have no Cache Storage. */
export const profiles: ProfileStore = {
  async read(key) {
    try {
      const cache = await web.caches?.open(CACHE);
      return (await (await cache?.match(addressOf(key)))?.json()) as unknown;
    } catch {
      return undefined;
    }
  },
  async write(key, profile) {
    try {
      const cache = await web.caches?.open(CACHE);
      await cache?.put(addressOf(key), new Response(JSON.stringify(profile)));
    } catch {
      // The quota is exceeded or storage is blocked: measure again on the next visit.
    }
  },
  machine: () => `${web.navigator?.userAgent ?? ''} × ${web.navigator?.hardwareConcurrency ?? ''}`,
};
