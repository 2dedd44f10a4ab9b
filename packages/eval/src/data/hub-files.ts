// The addresses of a dataset's own parquet files on the Hugging Face Hub. Lists them; reading is parquet-table.ts's. Not
// the Hub's automatic conversion, which stops at the first gigabytes of a large dataset.
// Source: https://huggingface.co/docs/hub/api

import * as z from 'zod';
import { MissingFileError } from './errors.js';

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const HINT = 'Check the connection, or download the dataset and give its folder.';
const pageSchema = z.array(z.object({ type: z.string(), path: z.string() }));

async function getPage(url: string): Promise<{ files: string[]; next: string | undefined }> {
  const fail = (problem: string, cause?: unknown): never => {
    throw new MissingFileError(url, problem, HINT, { cause });
  };
  const response = await fetch(url).catch((cause: unknown) => fail('cannot be reached', cause));
  if (!response.ok) return fail(`the Hub answered ${response.status} ${response.statusText}`);
  const page = pageSchema.safeParse(await response.json().catch(() => null));
  if (!page.success) return fail('the Hub did not answer with a list of files', page.error);
  return {
    files: page.data
      .filter(({ type, path }) => type === 'file' && path.endsWith('.parquet'))
      .map(({ path }) => path),
    next: /<([^>]+)>;\s*rel="next"/.exec(response.headers.get('link') ?? '')?.[1],
  };
}

/**
 * Lists the addresses of all parquet files of a dataset. `HF_ENDPOINT` in the environment names another Hub, e.g. a mirror.
 * @throws MissingFileError when the Hub cannot be reached, or has no such dataset or no parquet files in it.
 */
export async function hubFiles(dataset: string): Promise<string[]> {
  const endpoint = (process.env.HF_ENDPOINT ?? DEFAULT_ENDPOINT).replace(/\/$/, '');
  const files: string[] = [];
  let url: string | undefined = `${endpoint}/api/datasets/${dataset}/tree/main?recursive=true`;
  while (url !== undefined) {
    const page = await getPage(url);
    files.push(...page.files);
    url = page.next;
  }
  if (files.length === 0)
    throw new MissingFileError(`${endpoint}/datasets/${dataset}`, 'has no parquet files', HINT);
  return files.sort().map((path) => `${endpoint}/datasets/${dataset}/resolve/main/${encodeURI(path)}`);
}
