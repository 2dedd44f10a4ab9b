import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { fakeIo } from '../../test/fake-io.js';
import { fakeServices } from '../../test/fake-services.js';
import { main } from '../main.js';

describe('mmtok serve', () => {
  it('serves the embedded model until a signal, then shuts down cleanly', async () => {
    const io = fakeIo();
    const running = main(['serve', '--model', 'tiny-small', '--port', '0'], io, fakeServices().services);
    await expect.poll(() => io.out()).toContain('"listening"');
    const url = /"url":"([^"]+)"/.exec(io.out())?.[1];
    const models = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(models.data.map(({ id }) => id)).toEqual(['tiny-small']);
    process.emit('SIGTERM');
    expect(await running).toBe(0);
    expect(io.out()).toContain('"closed"');
  });

  it('ends requests in flight after --shutdown-ms', async () => {
    const io = fakeIo();
    const { services } = fakeServices();
    const flags = ['--model', 'tiny-small', '--port', '0', '--shutdown-ms', '0'];
    const running = main(['serve', ...flags], io, services);
    await expect.poll(() => io.out()).toContain('"listening"');
    const port = Number(/"url":"[^"]+:(\d+)"/.exec(io.out())?.[1]);
    // A request whose body never ends; later it would get status 408.
    const client = connect(port, '127.0.0.1');
    const ended = once(client, 'close');
    let answer = '';
    client.on('error', () => undefined);
    client.on('data', (bytes) => {
      answer += bytes;
    });
    const head = ['host: 127.0.0.1', 'content-type: application/json', 'content-length: 9'];
    await new Promise<void>((resolve) => {
      client.write(`POST /v1/chat/completions HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n{`, () => resolve());
    });
    // Sent later, answered: the request is in flight by now.
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    process.emit('SIGTERM');
    expect(await running).toBe(0);
    await ended;
    expect(answer).toBe('');
  });

  it('rejects invalid options before loading a model', async () => {
    const run = async (...words: string[]) => {
      const io = fakeIo();
      const code = await main(['serve', ...words], io, fakeServices().services);
      return [code, io.err()] as const;
    };
    expect(await run()).toEqual([2, expect.stringContaining('--model')]);
    expect(await run('--model', 'tiny', '--port', '70000')).toEqual([2, expect.stringContaining('70000')]);
    expect(await run('--model', 'tiny', '--upstream', 'vllm:8000')).toEqual([
      2,
      expect.stringContaining('--upstream: expected a URL'),
    ]);
    expect(await run('--model', 'tiny', '--shutdown-ms', '-1')).toEqual([
      2,
      expect.stringContaining('--shutdown-ms: expected a whole number from 0'),
    ]);
    expect(await run('--model', 'tiny', '--keep', '0')).toEqual([2, expect.stringContaining('--keep')]);
    expect(await run('--model', 'tiny-small', '--host', '0.0.0.0', '--port', '0')).toEqual([
      2,
      expect.stringContaining('API key'),
    ]);
  });

  it('exits with 1 if the port is in use', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const io = fakeIo();
    const code = await main(
      ['serve', '--model', 'tiny-small', '--port', String(port)],
      io,
      fakeServices().services,
    );
    taken.close();
    expect([code, io.err()]).toEqual([1, expect.stringContaining(`Cannot listen on 127.0.0.1:${port}`)]);
  });

  it('has every option that the deployment files use', async () => {
    const io = fakeIo();
    await main(['serve', '--help'], io, fakeServices().services);
    const folder = new URL('../../../serve/deploy/', import.meta.url);
    const files = ['Containerfile', 'compose.yaml', 'kubernetes/deployment.yaml'];
    const texts = await Promise.all(files.map((file) => readFile(new URL(file, folder), 'utf8')));
    // Only in lists of arguments: vLLM's own options are elsewhere.
    const used = texts.flatMap((text) =>
      [...text.matchAll(/(?:- |")(--[a-z-]+)/g)].map(([, option = '']) => option),
    );
    expect(used.length).toBeGreaterThan(10);
    for (const option of used) expect(io.out()).toContain(`${option} `);
  });
});
