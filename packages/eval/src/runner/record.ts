// One answer as it is kept: a line of JSON. Reading and writing files is in records-file.ts.

import * as z from 'zod';

const milliseconds = z.number().nonnegative();
const fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The name of the method and of the budget in records of answers with all tokens. */
export const ALL = 'all';

export const recordSchema: z.ZodType<EvalRecord> = z.object({
  id: z.string(),
  method: z.string(),
  budget: z.string(),
  kind: z.string().optional(),
  group: z.string().optional(),
  image: z.string(),
  question: z.string(),
  target: z.unknown(),
  answer: z.string(),
  score: z.object({
    value: z.number(),
    parsed: fact.optional(),
    facts: z.record(z.string(), fact).optional(),
  }),
  tokensBefore: z.int().nonnegative(),
  tokensKept: z.int().nonnegative(),
  kept: z.array(z.int().nonnegative()).optional(),
  grid: z.tuple([z.int(), z.int()]).optional(),
  encodeMs: milliseconds,
  selectMs: milliseconds,
  agentMs: milliseconds.optional(),
  agent: z.object({ answer: z.string(), added: z.array(z.string()) }).optional(),
  prefillMs: milliseconds,
  decodeMs: milliseconds,
}) as z.ZodType<EvalRecord>;

/** A scored answer to one question, by one method at one budget. */
export interface EvalRecord {
  /** The sample's. */
  readonly id: string;
  /** The method's name; `'all'` where all tokens were kept. */
  readonly method: string;
  /** The budget as written, e.g. `'64'`, `'10%'` or `'c0.9'`; `'all'` where all tokens were kept. */
  readonly budget: string;
  readonly kind?: string | undefined;
  readonly group?: string | undefined;
  /** Where the first picture lies, or its id. */
  readonly image: string;
  readonly question: string;
  /** The gold answer, as the task has it. */
  readonly target?: unknown;
  readonly answer: string;
  readonly score: {
    readonly value: number;
    readonly parsed?: string | number | boolean | null | undefined;
    readonly facts?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  };
  /** Vision tokens of all pictures, and how many of them the language model saw. */
  readonly tokensBefore: number;
  readonly tokensKept: number;
  /** Kept tokens and their grid, for questions about one picture. */
  readonly kept?: readonly number[] | undefined;
  readonly grid?: readonly [rows: number, columns: number] | undefined;
  /** 0 where the picture was encoded already. */
  readonly encodeMs: number;
  /** The method. */
  readonly selectMs: number;
  /** The agent that was asked before; absent for methods without one. */
  readonly agentMs?: number | undefined;
  readonly agent?: { readonly answer: string; readonly added: readonly string[] } | undefined;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/** What tells one record of a run from all others. */
export function recordKey({ id, method, budget }: Pick<EvalRecord, 'id' | 'method' | 'budget'>): string {
  return JSON.stringify([id, method, budget]);
}
