// `mmtok serve`: the options of the command, and its end by a signal. The server is @mmtok/serve.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { RunningServer, ServeModelOptions } from '@mmtok/serve';
import { type Command, Option } from 'commander';
import { UsageError } from '../errors.js';
import { TINY, TINY_SMALL } from '../models/load.js';
import { parseCount, parseDtype, parseKeep } from '../options.js';
import type { Context } from './context.js';

const EXAMPLES = `
OpenAI clients work unchanged with the base URL http://127.0.0.1:8080/v1. The field "mmtok" of a request overrides what is kept,
e.g. {"keep": 0.25}, or false for all tokens.
Keys are read from the environment (MMTOK_API_KEY, MMTOK_UPSTREAM_API_KEY) or from files.
Start vLLM with --enable-mm-embeds, and make sure that nothing else can reach it.

Examples:
  mmtok serve --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct --dtype q4
  mmtok serve --model ./llava-onnx --upstream http://vllm:8000 --upstream-model llava --keep 57
  MMTOK_API_KEY=… mmtok serve --model ./my-model --host 0.0.0.0 --allow-images images.example.com`;

interface ServeFlags {
  readonly model: string;
  readonly name?: string;
  readonly keep: string;
  readonly upstream?: string;
  readonly upstreamModel?: string;
  readonly upstreamKeyFile?: string;
  readonly grid: 'refuse' | 'line';
  readonly probe: 'strict' | 'warn' | 'off';
  readonly host: string;
  readonly port: string;
  readonly apiKeyFile?: string;
  readonly allowAnonymous: boolean;
  readonly allowImages?: readonly string[];
  readonly queue: string;
  readonly dtype?: string;
  readonly device?: string;
  readonly cacheDir?: string;
  readonly offline: boolean;
}

/** Adds the command to the program. */
export function addServe(program: Command, context: Context): void {
  program
    .command('serve')
    .description("serve a model with OpenAI's API, in this process or in front of a vLLM server")
    .requiredOption('--model <name>', `a folder, a hub id, or ${TINY} (embedded)`)
    .option('--name <name>', "the model's name for clients (default: the upstream server's, or the model's)")
    .option('--keep <budget>', 'vision tokens to keep of an image: 64, 10%, or c0.95 of the coverage', '10%')
    .option('--upstream <url>', 'a vLLM server that answers; this server encodes images and selects tokens')
    .option('--upstream-model <name>', 'the name under which the vLLM server serves the model')
    .option('--upstream-key-file <file>', 'a file with the API key of the vLLM server')
    .addOption(
      new Option('--grid <how>', 'for Qwen-VL: refuse, or send kept rows with positions on a line')
        .choices(['refuse', 'line'])
        .default('refuse'),
    )
    .addOption(
      new Option('--probe <how>', 'compare rows with the image at start: strict, warn, or off')
        .choices(['strict', 'warn', 'off'])
        .default('strict'),
    )
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <number>', 'the port to listen on; 0 takes a free one', '8080')
    .option('--api-key-file <file>', 'a file with the key that clients must send')
    .option(
      '--allow-anonymous',
      'listen on any address without a key, behind a gateway that authenticates',
      false,
    )
    .option('--allow-images <host...>', 'hosts that images may be fetched from: images.example.com')
    .option('--queue <count>', 'requests that may wait; further ones get 429', '32')
    .option('--device <name>', 'where the model runs: cpu, cuda, webgpu, dml, coreml')
    .option('--dtype <name>', 'precision of the weights: fp32, fp16, q8, q4, …, or part=precision,…')
    .option('--cache-dir <folder>', 'where downloaded models are kept')
    .option('--offline', 'never go to the network for models', false)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ServeFlags) => {
      const { serveModel } = await import('@mmtok/serve');
      await untilSignal(await serveModel(await optionsOf(flags, context)));
    });
}

async function optionsOf(flags: ServeFlags, { io }: Context): Promise<ServeModelOptions> {
  const { upstream, dtype, device, offline, allowImages } = flags;
  const budget = parseKeep(flags.keep);
  const port = Number(flags.port);
  if (!/^\d+$/.test(flags.port) || port > 65_535) {
    throw new UsageError(`--port: expected a number from 0 to 65535, got '${flags.port}'.`);
  }
  const key = async (file: string | undefined, variable: string): Promise<string | undefined> =>
    file === undefined ? io.env[variable] : (await readFile(resolve(io.cwd, file), 'utf8')).trim();
  return {
    model: await modelOf(flags.model),
    servedName: flags.name ?? (upstream === undefined ? flags.model : undefined),
    budget,
    ...(upstream !== undefined && {
      upstream: {
        url: upstream,
        model: flags.upstreamModel ?? flags.name,
        apiKey: await key(flags.upstreamKeyFile, 'MMTOK_UPSTREAM_API_KEY'),
        grid: flags.grid,
        probe: flags.probe,
      },
    }),
    load: {
      dtype: dtype === undefined ? undefined : parseDtype(dtype),
      device: device as NonNullable<ServeModelOptions['load']>['device'],
      cacheDir: flags.cacheDir,
      offline,
    },
    host: flags.host,
    port,
    apiKey: await key(flags.apiKeyFile, 'MMTOK_API_KEY'),
    allowAnonymous: flags.allowAnonymous,
    remoteImages: allowImages === undefined ? undefined : { allow: allowImages },
    queueLimit: parseCount('--queue', flags.queue),
    log: (entry) => io.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`),
  };
}

async function modelOf(name: string): Promise<string> {
  if (name !== TINY && name !== TINY_SMALL) return name;
  const { modelPath, smallModelPath } = await import('@mmtok/tiny-vlm');
  return name === TINY ? modelPath : smallModelPath;
}

/** Serves until the process is asked to end, and then ends in order; a second signal ends it at once. */
async function untilSignal(server: RunningServer): Promise<void> {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  await new Promise<void>((done) => {
    const end = (): void => {
      for (const signal of signals) process.off(signal, end);
      done();
    };
    for (const signal of signals) process.on(signal, end);
  });
  await server.close();
}
