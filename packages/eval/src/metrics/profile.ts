// Which release of the reference harness the scores follow. Five of its scorers changed between 2025 and 2026; each
// metric's own file says how.

/**
 * A release of lmms-eval (https://github.com/EvolvingLMMs-Lab/lmms-eval) whose scoring is followed: tag v0.3.4 (May
 * 2025), tag v0.4 (July 2025), or `latest`, its main branch of August 2026.
 */
export type Profile = 'lmms-eval-0.3.4' | 'lmms-eval-0.4' | 'latest';

/** All profiles. */
export const PROFILES: readonly Profile[] = ['lmms-eval-0.3.4', 'lmms-eval-0.4', 'latest'];
