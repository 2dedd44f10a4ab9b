import { it } from 'vitest';
import { checkPrecisions } from './check-precisions.js';

// More questions: precisions.model.test.ts.
it('fp16 and q8 answer 10 questions as fp32 does, pruned or not', () => checkPrecisions(10, 2), 240_000);
