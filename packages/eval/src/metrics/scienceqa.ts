// ScienceQA's option matching: the bare letter, or a capital letter and a period at the start. Nothing else counts.
// Sources: https://scienceqa.github.io/, `scienceqa_img` of lmms-eval.

import type { Profile } from './profile.js';

/**
 * Whether the prediction names `letter` ("A", "B", …). Up to July 2025 (v0.3.4) the harness lower-cased first and "B. banana"
 * was wrong.
 */
export function scienceQaMatch(prediction: string, letter: string, profile: Profile = 'latest'): boolean {
  if (prediction.toLowerCase() === letter.toLowerCase()) return true;
  return profile !== 'lmms-eval-0.3.4' && /^\p{Lu}\./u.test(prediction) && prediction.startsWith(letter);
}
