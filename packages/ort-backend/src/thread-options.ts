// How the threads of a session wait for work. Every session has its own, which by default spin for a while after a run and take cores
// away from the next session: a selection runs two, and the model runs after it. See docs/decisions/0007.

/** Threads sleep when there is no work. */
export const NO_SPINNING = { session: { intra_op: { allow_spinning: '0' } } };

/**
 * Threads spin for at most 100 µs. Operations of a selection follow each other within a few µs, and waking a thread for each takes
 * up to a quarter of the time of 576 tokens. ONNX Runtime before 1.26 ignores the limit; `force_spinning_stop` then ends spinning with the
 * run.
 */
export const BRIEF_SPINNING = {
  session: { force_spinning_stop: '1', intra_op: { allow_spinning: '1', spin_duration_us: '100' } },
};
