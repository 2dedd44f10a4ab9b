// The addresses of a dataset's parquet files on the Hugging Face Hub. Lists them; reading is parquet-table.ts's.
// Source: https://huggingface.co/docs/dataset-viewer/parquet

import * as z from 'zod';
import { MissingFileError } from './missing-file-error.js';

const DEFAULT_ENDPOINT = 'https://huggingface.co';
const schema = z.array(z.string()).min(1);

/**
 * Lists the parquet files of one split. `HF_ENDPOINT` in the environment names another Hub, e.g. a mirror.
 * @throws MissingFileError when the Hub cannot be reached or has no such split.
 */
export async function hubFiles(dataset: string, config: string, split: string): Promise<string[]> {
  const endpoint = process.env.HF_ENDPOINT ?? DEFAULT_ENDPOINT;
  const url = `${endpoint}/api/datasets/${dataset}/parquet/${encodeURIComponent(config)}/${encodeURIComponent(split)}`;
  const hint = 'Check the connection, or download the dataset and give its folder.';
  const fail = (problem: string, cause?: unknown): never => {
    throw new MissingFileError(url, problem, hint, { cause });
  };
  const response = await fetch(url).catch((cause: unknown) => fail('cannot be reached', cause));
  if (!response.ok) return fail(`the Hub answered ${response.status} ${response.statusText}`);
  const files = schema.safeParse(await response.json().catch(() => null));
  return files.success ? files.data : fail('the Hub did not answer with a list of files', files.error);
}
