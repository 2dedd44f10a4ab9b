// What dataset columns hold, as schemas: the same column is a number here, a bigint there and text in a TSV.

import * as z from 'zod';

/** A text. */
export const textCell: z.ZodType<string> = z.string();

/** A whole number, also as bigint (parquet's int64) or text (TSV). */
export const integerCell: z.ZodType<number> = z
  .union([z.number(), z.bigint(), z.string().regex(/^-?\d+$/, 'expected a whole number')])
  .transform(Number)
  .refine(Number.isSafeInteger, 'expected a whole number');

/** An identifier: a text, or a number as text. */
export const idCell: z.ZodType<string> = z.union([z.string(), z.number(), z.bigint()]).transform(String);

/** A text that may be missing. */
export const optionalTextCell: z.ZodType<string | undefined> = z
  .string()
  .nullish()
  .transform((text) => text ?? undefined);

/** A list of texts. */
export const textsCell: z.ZodType<string[]> = z.array(z.string());
