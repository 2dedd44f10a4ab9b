// What operators see of a server: its log and its metrics.

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Engine, PruningSummary, Usage } from './engine.js';

// The log: one JSON object per line. Entries contain counts, names, and times, and never texts, images, or keys.

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

// Metrics for Prometheus.

/** The server's counters. */
export interface Metrics {
  /** Records an answered request. */
  request(route: string, status: number, seconds: number): void;
  /** Records what pruning did to a request. */
  pruned(summary: PruningSummary): void;
  /** Records the tokens of a request. */
  used(usage: Usage): void;
  /** The text of `/metrics`. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Metrics of one server, in a separate registry. */
export function createMetrics(engine: Engine): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: 'mmtok_requests_total',
    help: 'Answered requests',
    labelNames: ['route', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'mmtok_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer',
    labelNames: ['route'],
    buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers,
  });
  const tokens = new Counter({
    name: 'mmtok_vision_tokens_total',
    help: 'Vision tokens before pruning (stage: before) and after it (stage: kept)',
    labelNames: ['stage'],
    registers,
  });
  const stages = new Histogram({
    name: 'mmtok_stage_duration_seconds',
    help: 'Time of the stages of pruning and answering',
    labelNames: ['stage'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const used = new Counter({
    name: 'mmtok_tokens_total',
    help: 'Tokens of prompts and answers, as counted by the engine',
    labelNames: ['kind'],
    registers,
  });
  new Gauge({
    name: 'mmtok_queue_depth',
    help: 'Requests that are waiting for the engine',
    registers,
    collect() {
      this.set(engine.load().queued);
    },
  });
  new Gauge({
    name: 'mmtok_running_requests',
    help: 'Requests that are running in the engine',
    registers,
    collect() {
      this.set(engine.load().running);
    },
  });
  new Gauge({
    name: 'mmtok_ready',
    help: 'Whether the engine can answer: 1 or 0',
    registers,
    collect() {
      this.set(engine.readiness().ready ? 1 : 0);
    },
  });

  return {
    request(route, status, seconds) {
      requests.inc({ route, status: String(status) });
      duration.observe({ route }, seconds);
    },
    pruned({ visionTokens, keptTokens, timings }) {
      tokens.inc({ stage: 'before' }, visionTokens);
      tokens.inc({ stage: 'kept' }, keptTokens);
      for (const [name, ms] of Object.entries(timings)) {
        stages.observe({ stage: name.replace(/Ms$/, '') }, ms / 1000);
      }
    },
    used({ prompt_tokens, completion_tokens }) {
      used.inc({ kind: 'prompt' }, prompt_tokens);
      used.inc({ kind: 'completion' }, completion_tokens);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
