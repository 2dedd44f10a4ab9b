// Where a command reads and writes, so that tests can run commands without a process. The real one is process itself.

/** A stream of text for a person or a program to read. */
export interface Output {
  write(text: string): unknown;
  /** Whether a person is looking: colours, progress and a running answer are for them alone. */
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

/** The surroundings of a command. */
export interface Io {
  /** What `-` reads. */
  readonly stdin: AsyncIterable<Uint8Array | string>;
  /** Results. */
  readonly stdout: Output;
  /** Progress, notes and errors. */
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder that relative paths start from. */
  readonly cwd: string;
}

/** Writes a line. */
export function print(output: Output, line = ''): void {
  output.write(`${line}\n`);
}
