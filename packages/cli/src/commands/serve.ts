// `mmtok serve`: runs the server of @mmtok/serve until a signal ends it.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Budget } from '@mmtok/core';
import type { RunningServer, ServeModelOptions } from '@mmtok/serve';
import { type Command, Option } from 'commander';
import { UsageError } from '../errors.js';
import { locate } from '../models/load.js';
import {
  defaultKeepOption,
  deviceOption,
  dtypeOption,
  modelOption,
  parseCount,
  type parseDtype,
  parsed,
  parseNatural,
} from '../options.js';
import type { Context } from './context.js';

const EXAMPLES = `
Clients of OpenAI's API work unchanged with the base URL http://127.0.0.1:8080/v1. The field "mmtok" of a request overrides what is
kept, e.g. {"keep": 0.25}, or false for all tokens.
Keys come from the environment variables MMTOK_API_KEY and MMTOK_UPSTREAM_API_KEY, or from files.
Start vLLM with --enable-mm-embeds, and make sure that only this server can reach it.

Examples:
  mmtok serve --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct --dtype q4
  mmtok serve --model ./llava-onnx --upstream http://vllm:8000 --upstream-model llava --keep 57
  MMTOK_API_KEY=… mmtok serve --model ./my-model --host 0.0.0.0 --allow-images images.example.com`;

interface ServeFlags {
  readonly model: string;
  readonly name?: string;
  readonly keep: Budget;
  readonly upstream?: string;
  readonly upstreamModel?: string;
  readonly upstreamKeyFile?: string;
  readonly grid: 'refuse' | 'line';
  readonly probe: 'strict' | 'warn' | 'off';
  readonly host: string;
  readonly port: number;
  readonly apiKeyFile?: string;
  readonly allowAnonymous: boolean;
  readonly allowImages?: readonly string[];
  readonly queue: number;
  readonly shutdownMs?: number;
  readonly dtype?: ReturnType<typeof parseDtype>;
  readonly device?: string;
  readonly cacheDir?: string;
  readonly offline: boolean;
}

/** Adds the command. */
export function addServe(program: Command, context: Context): void {
  program
    .command('serve')
    .description("serve a model with OpenAI's API, in this process or in front of a vLLM server")
    .addOption(modelOption().default(undefined).makeOptionMandatory())
    .option(
      '--name <name>',
      "the model's name for clients (default: the upstream server's name for it, or --model)",
    )
    .addOption(defaultKeepOption())
    .addOption(
      parsed(
        '--upstream <url>',
        'URL of a vLLM server that answers; this server encodes and selects',
        parseUrl,
      ),
    )
    .option('--upstream-model <name>', "the vLLM server's name for the model")
    .option('--upstream-key-file <file>', "a file with the vLLM server's API key")
    .addOption(
      new Option('--grid <how>', 'for Qwen-VL: refuse, or send kept rows with consecutive positions (line)')
        .choices(['refuse', 'line'])
        .default('refuse'),
    )
    .addOption(
      new Option('--probe <how>', 'at startup, compare the answer from rows with the answer from the image')
        .choices(['strict', 'warn', 'off'])
        .default('strict'),
    )
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .addOption(
      parsed('--port <number>', 'the port to listen on; 0 picks a free one', parsePort).default(8080),
    )
    .option('--api-key-file <file>', 'a file with the API key that clients must send')
    .option('--allow-anonymous', 'serve other machines without an API key', false)
    .option('--allow-images <host...>', 'hosts that images may be fetched from, e.g. images.example.com')
    .addOption(
      parsed('--queue <count>', 'requests that may wait; further ones get status 429', parseCount).default(
        32,
      ),
    )
    .addOption(
      parsed(
        '--shutdown-ms <ms>',
        'after SIGTERM or Ctrl+C, milliseconds that requests in flight have to finish (default: 300000, the time limit of a request)',
        parseNatural,
      ),
    )
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .option('--cache-dir <folder>', 'folder for downloaded models')
    .option('--offline', 'never download models', false)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: ServeFlags) => {
      const { serveModel } = await import('@mmtok/serve');
      await untilSignal(await serveModel(await optionsOf(flags, context)));
    });
}

async function optionsOf(flags: ServeFlags, { io }: Context): Promise<ServeModelOptions> {
  const { upstream, dtype, device, offline, allowImages } = flags;
  const key = async (file: string | undefined, variable: string): Promise<string | undefined> =>
    file === undefined ? io.env[variable] : (await readFile(resolve(io.cwd, file), 'utf8')).trim();
  return {
    model: await locate(flags.model, io.cwd),
    servedName: flags.name ?? (upstream === undefined ? flags.model : undefined),
    budget: flags.keep,
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
      dtype,
      device: device as NonNullable<ServeModelOptions['load']>['device'],
      cacheDir: flags.cacheDir,
      offline,
    },
    host: flags.host,
    port: flags.port,
    apiKey: await key(flags.apiKeyFile, 'MMTOK_API_KEY'),
    allowAnonymous: flags.allowAnonymous,
    remoteImages: allowImages === undefined ? undefined : { allow: allowImages },
    queueLimit: flags.queue,
    shutdownMs: flags.shutdownMs,
    log: (entry) => io.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...entry })}\n`),
  };
}

function parsePort(option: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new UsageError(`${option}: expected a number from 0 to 65535, got '${text}'.`);
}

function parseUrl(option: string, text: string): string {
  if (/^https?:/i.test(text) && URL.canParse(text)) return text;
  throw new UsageError(`${option}: expected a URL such as http://vllm:8000, got '${text}'.`);
}

/** Serves until a signal, then shuts down gracefully; a second signal ends the process. */
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
