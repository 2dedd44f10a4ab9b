// One answer as it is kept: a line of JSON. Reading and writing files is in records-file.ts.

import * as z from 'zod';

const milliseconds = z.number().nonnegative();
const fact = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** The name of the method and of the budget in records of answers with all tokens. */
export const ALL = 'all';

/** Names that fields had in versions before 0.1. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  tokensBefore: 'visionTokens',
  tokensKept: 'keptTokens',
  kept: 'indices',
};

const withPresentNames = (line: unknown): unknown =>
  typeof line === 'object' && line !== null
    ? Object.fromEntries(Object.entries(line).map(([name, value]) => [OLD_NAMES[name] ?? name, value]))
    : line;

const schema = z.object({
  id: z.string(),
  method: z.string(),
  budget: z.string(),
  kind: z.string().optional(),
  group: z.string().optional(),
  image: z.string(),
  question: z.string(),
  digest: z.string().optional(),
  target: z.unknown(),
  answer: z.string(),
  score: z.object({
    value: z.number(),
    parsed: fact.optional(),
    facts: z.record(z.string(), fact).optional(),
  }),
  visionTokens: z.int().nonnegative(),
  keptTokens: z.int().nonnegative(),
  indices: z.array(z.int().nonnegative()).optional(),
  grid: z.tuple([z.int(), z.int()]).optional(),
  encodeMs: milliseconds,
  selectMs: milliseconds,
  agentMs: milliseconds.optional(),
  agent: z.object({ answer: z.string(), added: z.array(z.string()) }).optional(),
  prefillMs: milliseconds,
  decodeMs: milliseconds,
});

/** A line of `records.jsonl`, also of earlier versions. */
export const recordSchema: z.ZodType<EvalRecord> = z.preprocess(
  withPresentNames,
  schema,
) as z.ZodType<EvalRecord>;

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
  /** Of what was asked and what is right, so that a run goes on with the same question only. Absent in earlier versions. */
  readonly digest?: string | undefined;
  /** The gold answer, as the task has it. */
  readonly target?: unknown;
  readonly answer: string;
  readonly score: {
    readonly value: number;
    readonly parsed?: string | number | boolean | null | undefined;
    readonly facts?: Readonly<Record<string, string | number | boolean | null>> | undefined;
  };
  /** Vision tokens of all pictures, and how many of them the language model saw. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** Kept tokens, ascending, and their grid, for questions about one picture. */
  readonly indices?: readonly number[] | undefined;
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
