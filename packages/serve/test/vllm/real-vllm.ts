// Shared by the tests against a real vLLM server: where run.sh puts files, and how answers are made comparable.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createVllmClient } from '../../src/index.js';

/** The server, and the key that it was started with. */
export const upstream = { url: process.env.MMTOK_VLLM_URL ?? '', model: 'tiny', apiKey: 'upstream-key' };
export const client = createVllmClient({ baseUrl: upstream.url, model: 'tiny', apiKey: upstream.apiKey });

/** The path of a file written by the checkpoint's script. */
export const fileOf = (name: string): string => join(process.env.MMTOK_VLLM_FOLDER ?? '', name);
/** PyTorch's answers. */
export const readReference = <Reference>(): Reference =>
  JSON.parse(readFileSync(fileOf('reference.json'), 'utf8')) as Reference;

/** Greedy tokens of one length, and the length of their prompt. */
export interface Expected {
  readonly tokens: number[];
  readonly promptTokens: number;
}

/** Fields that make vLLM's answers comparable: greedy, of one length, with token ids. */
export const common = {
  model: 'tiny',
  temperature: 0,
  max_tokens: 16,
  ignore_eos: true,
  return_token_ids: true,
};

/** The fields of an answer that these tests read. */
export interface Reply {
  readonly choices: readonly [
    { readonly token_ids: number[]; readonly message: { readonly content: string } },
  ];
  readonly usage: { readonly prompt_tokens: number };
  readonly mmtok?: { readonly visionTokens: number; readonly keptTokens: number };
}

/** The tokens of an answer and the length of its prompt. */
export const seen = ({ choices, usage }: Reply): Expected => ({
  tokens: choices[0].token_ids,
  promptTokens: usage.prompt_tokens,
});
