import { it } from 'vitest';
import { checkPrecisions } from './check-precisions.js';

it('fp16 and q8 answer 45 questions as fp32 does, pruned or not', () => checkPrecisions(45, 4), 240_000);
