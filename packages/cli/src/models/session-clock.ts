// Times the parts of a model during one call, by its ONNX sessions: the same way whether pruning is on or off.

/** The members of an ONNX Runtime session that are touched. */
export interface TimedSession {
  readonly outputNames: readonly string[];
  run(...args: unknown[]): Promise<unknown>;
}

/** Where the time of a call went, in milliseconds. */
export interface SessionTimes {
  readonly encodeMs: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

/** Runs `work` and times the model's sessions meanwhile; one call at a time. */
export async function timeSessions<T>(
  sessions: readonly TimedSession[],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly times: SessionTimes }> {
  let encodeMs = 0;
  const steps: number[] = [];
  const restore = sessions.map((session) => {
    const own = Object.getOwnPropertyDescriptor(session, 'run');
    const { run } = session;
    session.run = async (...args) => {
      const started = performance.now();
      const outputs = await run.apply(session, args);
      const ms = performance.now() - started;
      // The language model yields logits, the encoder features of images; token embeddings cost next to nothing.
      if (session.outputNames.includes('logits')) steps.push(ms);
      else if (session.outputNames.includes('image_features')) encodeMs += ms;
      return outputs;
    };
    return () => {
      if (own === undefined) Reflect.deleteProperty(session, 'run');
      else Object.defineProperty(session, 'run', own);
    };
  });
  try {
    const result = await work();
    const [prefillMs = 0, ...decode] = steps;
    return { result, times: { encodeMs, prefillMs, decodeMs: decode.reduce((sum, ms) => sum + ms, 0) } };
  } finally {
    for (const undo of restore) undo();
  }
}
