// How sessions of models are opened in Node, wherever a package opens one.

/**
 * Options of a session of ONNX Runtime whose threads stop spinning when a run ends. Every session has its own threads. By default, they
 * spin for a while after a run, and compete for cores with the session that runs next. See docs/decisions/0007.
 */
export const STOP_SPINNING: {
  readonly extra: { readonly session: { readonly force_spinning_stop: '1' } };
} = { extra: { session: { force_spinning_stop: '1' } } };
