// Structured logs: one JSON object per line. Entries contain counts, names, and times, and never texts, images, or keys.

/** One entry of the log. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  /** What happened, e.g. `request`, `listening`, `upstream-down`. */
  readonly event: string;
  readonly [field: string]: unknown;
}

/** Receives entries. */
export type Log = (entry: LogEntry) => void;

/** Writes entries as JSON lines with a time to standard output. */
export const logToStdout: Log = (entry) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`);
};

/** The name, code, and message of an error, and of its cause, for the log. */
export function describeError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: String(error) };
  const { code } = error as { readonly code?: unknown };
  return {
    error: error.name,
    code,
    message: error.message.slice(0, 500),
    cause: error.cause instanceof Error ? error.cause.message.slice(0, 500) : undefined,
  };
}
