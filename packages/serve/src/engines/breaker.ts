// A circuit breaker around an upstream server. It checks the server's health after failures and every few seconds, and
// rejects requests immediately while the server is unhealthy.

import { UpstreamUnavailableError } from '../errors.js';

/** Options of {@link createBreaker}. */
export interface BreakerOptions {
  /** Whether the upstream server and its engine are healthy. Never throws. */
  readonly isHealthy: () => Promise<boolean>;
  /** Milliseconds between health checks. */
  readonly retryMs: number;
  readonly onChange: (isOpen: boolean) => void;
}

/** Decides whether requests are sent to the upstream server. */
export interface Breaker {
  readonly isOpen: boolean;
  /** @throws UpstreamUnavailableError while the upstream server is known to be down. */
  check(): void;
  /** Reports a failed request: checks the upstream server's health, and opens the circuit if it is unhealthy. */
  failed(): Promise<void>;
  close(): void;
}

/** A breaker that initially lets requests through. */
export function createBreaker({ isHealthy, retryMs, onChange }: BreakerOptions): Breaker {
  let isOpen = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const set = (open: boolean): void => {
    if (isOpen === open || isClosed) return;
    isOpen = open;
    onChange(open);
  };
  const look = (): void => {
    timer = setTimeout(async () => {
      set(!(await isHealthy()));
      if (!isClosed) look();
    }, retryMs);
    timer.unref();
  };
  look();

  return {
    get isOpen() {
      return isOpen;
    },
    check() {
      if (!isOpen) return;
      throw new UpstreamUnavailableError(
        'The upstream server is down. This server checks it every few seconds.',
        {
          retryAfter: Math.ceil(retryMs / 1000),
        },
      );
    },
    async failed() {
      if (!(await isHealthy())) set(true);
    },
    close() {
      isClosed = true;
      isOpen = false;
      clearTimeout(timer);
    },
  };
}
