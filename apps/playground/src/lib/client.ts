// The page's side of the worker: calls with replies, progress, and cancellation.

import type { CallName, Calls, Problem, Progress, Reply } from './types.js';

/** A problem that the worker reported. */
class WorkerProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** What a call reports while it runs, and how to cancel it. */
export interface CallOptions {
  readonly onProgress?: (progress: Progress) => void;
  readonly onPiece?: (text: string) => void;
  readonly signal?: AbortSignal;
}

interface Pending extends CallOptions {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A running worker. */
export class WorkerClient {
  private readonly worker: Worker;
  private readonly pending = new Map<number, Pending>();
  private count = 0;

  constructor() {
    this.worker = new Worker(new URL('../worker/worker.ts', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }: MessageEvent<Reply>) => this.take(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      this.fail(new WorkerProblem({ message: event.message || 'The worker could not be started.' }));
    };
  }

  /** Calls one of the worker's functions. */
  async call<Name extends CallName>(
    name: Name,
    input: Calls[Name]['input'],
    options: CallOptions = {},
  ): Promise<Calls[Name]['output']> {
    const { signal } = options;
    signal?.throwIfAborted();
    const id = ++this.count;
    const cancel = (): void => {
      this.worker.postMessage({ id, name: 'cancel' });
      this.pending.get(id)?.reject(signal?.reason as Error);
      this.pending.delete(id);
    };
    try {
      return await new Promise<Calls[Name]['output']>((resolve, reject) => {
        this.pending.set(id, { ...options, resolve: resolve as Pending['resolve'], reject });
        signal?.addEventListener('abort', cancel, { once: true });
        this.worker.postMessage({ id, name, input });
      });
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** Terminates the worker and frees all it holds. */
  terminate(): void {
    this.worker.terminate();
    this.fail(new DOMException('The worker was ended.', 'AbortError'));
  }

  private take(reply: Reply): void {
    const call = this.pending.get(reply.id);
    if (call === undefined) return;
    if (reply.kind === 'progress') call.onProgress?.(reply.progress);
    else if (reply.kind === 'piece') call.onPiece?.(reply.text);
    else {
      this.pending.delete(reply.id);
      if (reply.kind === 'done') call.resolve(reply.output);
      else call.reject(new WorkerProblem(reply.problem));
    }
  }

  private fail(error: Error): void {
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}

/** What went wrong, as the page shows it; nothing for a call that was cancelled. */
export function problemOf(error: unknown): Problem | undefined {
  if (error instanceof WorkerProblem) return error.problem;
  if (error instanceof DOMException && error.name === 'AbortError') return undefined;
  return { message: error instanceof Error ? error.message : String(error) };
}
