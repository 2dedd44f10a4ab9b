// The worker that runs code which the user typed. The code is a module: it is imported from a blob's URL, so neither `eval`
// nor a relaxed policy for the page is needed. It comes from the editor only, never from the page's address.

import type { Select, SelectFeatures, SelectRequest } from '@mmtok/transformers';

/** The outcome. */
export type SandboxReply = { readonly indices: readonly number[] } | { readonly problem: string };

interface Job {
  readonly code: string;
  readonly features: SelectFeatures;
  readonly request: SelectRequest;
}

self.onmessage = async ({ data }: MessageEvent<Job>) => {
  let reply: SandboxReply;
  try {
    reply = { indices: await run(data) };
  } catch (error) {
    reply = { problem: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
  self.postMessage(reply);
};

async function run({ code, features, request }: Job): Promise<readonly number[]> {
  const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
  try {
    const module = (await import(/* @vite-ignore */ url)) as { readonly default?: Select };
    if (typeof module.default !== 'function')
      throw new TypeError('the code must `export default` a function');
    const chosen = await module.default(features, request);
    if (!Array.isArray(chosen) && !ArrayBuffer.isView(chosen))
      throw new TypeError('select must return a list of indices');
    return Array.from(chosen as ArrayLike<number>);
  } finally {
    URL.revokeObjectURL(url);
  }
}
