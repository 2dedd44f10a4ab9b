// Checks that several schemas share.

import * as z from 'zod';

/** A whole number of at least 1, such as a width or a count. */
export const positiveInt: z.ZodInt = z.int('expected a whole number').positive('expected at least 1');
