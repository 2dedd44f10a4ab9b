// Listens, and closes without losing a request in flight.

import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { createApp } from './app.js';
import { ServeStartError } from './errors.js';
import { logToStdout } from './observe.js';
import { checkServerOptions, type ServerOptions } from './options.js';

/** A running server. */
export interface RunningServer {
  /** Its address, e.g. `http://127.0.0.1:8080`; OpenAI clients take `${url}/v1`. */
  readonly url: string;
  /**
   * Accepts no new connections, lets requests in flight finish (for at most `shutdownMs`), and closes the engine. Further calls
   * wait for the same shutdown.
   */
  close(): Promise<void>;
}

/**
 * Starts an OpenAI-compatible server in front of an engine.
 * @throws InvalidOptionsError; ServeStartError if it cannot listen, or if others could reach it without a key.
 *
 * @example
 * const server = await startServer({ engine: createLocalEngine({ model: await createVlm('…') }), port: 8080 });
 * process.once('SIGTERM', () => server.close());
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const checked = checkServerOptions(options);
  const { engine, host, port, shutdownMs, limits, log = logToStdout } = checked;
  const app = createApp(checked);
  const server = createAdaptorServer({
    fetch: (request: Request) => app.fetch(request),
    hostname: host,
    overrideGlobalObjects: false,
    serverOptions: {
      headersTimeout: 15_000,
      // The app limits bodies and answers itself. This is a backstop for requests that never arrive.
      requestTimeout: limits.bodyMs + 15_000,
      maxHeaderSize: 16_384,
    },
  }) as Server;
  // Closes connections of clients that stop reading their answer.
  server.timeout = limits.bodyMs + limits.requestMs;
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, host, port);

  const address = server.address() as AddressInfo;
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  const url = `http://${name}:${address.port}`;
  log({ level: 'info', event: 'listening', url, engine: engine.name, model: engine.modelId });

  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    app.drain();
    log({ level: 'info', event: 'closing', ...engine.load() });
    const ended = new Promise<void>((done) => server.close(() => done()));
    // A connection becomes idle shortly after its answer, and would then stay open for its keep-alive time. A connection that
    // never sent anything does not count as idle.
    const idle = setInterval(() => {
      server.closeIdleConnections();
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    }, 50);
    const late = setTimeout(() => server.closeAllConnections(), shutdownMs);
    await ended;
    clearInterval(idle);
    clearTimeout(late);
    await engine.close();
    log({ level: 'info', event: 'closed' });
  };
  return {
    url,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((done, fail) => {
    server.once('error', (error) => {
      fail(
        new ServeStartError('environment', `Cannot listen on ${host}:${port}: ${error.message}.`, {
          cause: error,
        }),
      );
    });
    server.listen(port, host, () => done());
  });
}
