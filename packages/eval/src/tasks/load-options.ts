// The schema of LoadOptions, checked where a task begins to load.

import { parseOptions } from '@mmtok/core/internal';
import * as z from 'zod';
import type { LoadOptions } from './task.js';

// zod gives `undefined` where LoadOptions has nothing.
type Checked = { readonly [K in keyof LoadOptions]: LoadOptions[K] | undefined };

const shard = z
  .strictObject({ index: z.int().min(0), count: z.int().min(1) })
  .refine(({ index, count }) => index < count, 'index must be below count: shards are 0 … count - 1');

const schema: z.ZodType<Checked> = z.strictObject({
  from: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).optional(),
  limit: z.int().min(1).optional(),
  seed: z.int().optional(),
  shard: shard.optional(),
  followLinks: z.boolean().optional(),
});

/**
 * The options, checked.
 * @throws InvalidOptionsError
 */
export function parseLoadOptions(task: string, options: LoadOptions = {}): Checked {
  return parseOptions(`load options of task '${task}'`, schema, options);
}
