// `mmtok verify`: checks whether pruning is correct and worthwhile on a model; prints a table, and writes a page and JSON to attach to
// an issue.

import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeMachine } from '@mmtok/eval/internal';
import type { VerifiedImage, VerifyReport } from '@mmtok/transformers/verify';
import { Argument, type Command } from 'commander';
import { EXIT, orInputFileError, UsageError } from '../errors.js';
import type { VerifyRequest } from '../models/load.js';
import {
  deviceOption,
  dtypeOption,
  EMBEDDED_NAMES,
  jsonOption,
  maxNewTokensOption,
  modelName,
  parsed,
  parseNatural,
  promptOption,
  TINY,
} from '../options.js';
import { colorsFor, createStatusLine, print, printJson } from '../terminal/io.js';
import type { Context } from './context.js';
import { verifyLines, verifyPage } from './verify-report.js';

const EXAMPLES = `
Asks about four drawn images and checks that keeping all tokens changes nothing; that a pruned answer equals, token for token, the
unmodified library's answer to the shortened prompt; that the compared features belong to the tokens; and that the question
drives the selection. Measures 100, 50, 25, and 10 % of the tokens and a single token. Writes verify.html, and verify.json, which you
can attach to an issue.

Examples:
  mmtok verify ${TINY}                                                      offline, in seconds
  mmtok verify HuggingFaceTB/SmolVLM2-256M-Video-Instruct --dtype q4
  mmtok verify ./my-export --out report --repeats 5

Exit codes: 0 no check failed, 1 a check failed, 2 wrong usage.`;

interface VerifyOptions {
  readonly ratio: number;
  readonly device?: string | undefined;
  readonly dtype?: VerifyRequest['dtype'];
  readonly prompt?: string | undefined;
  readonly maxNewTokens?: number | undefined;
  readonly repeats?: number | undefined;
  readonly out: string;
  readonly json: boolean;
}

/** Adds the command. */
export function addVerify(
  program: Command,
  context: Context,
  { version, exit }: { readonly version: string; readonly exit: (code: number) => void },
): void {
  program
    .command('verify')
    .description('check that pruning is correct and worthwhile on your checkpoint, precision, and device')
    .addArgument(
      new Argument('<model>', `${EMBEDDED_NAMES} (embedded), a hub id, or a folder`).argParser(modelName),
    )
    .addOption(
      parsed('--ratio <share>', 'vision tokens to keep when pruned answers are checked', parseShare).default(
        0.25,
        '25%',
      ),
    )
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .addOption(promptOption())
    .addOption(maxNewTokensOption('length of the answers in tokens (default: 16)'))
    .addOption(parsed('--repeats <count>', 'timed calls per row; 0 skips timing (default: 3)', parseNatural))
    .option('--out <folder>', 'folder of verify.html and verify.json', 'mmtok-verify')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (model: string, { prompt, maxNewTokens, ...options }: VerifyOptions) => {
      const request = { ...options, model, version, promptTemplate: prompt, newTokens: maxNewTokens };
      exit(await verify(request, context));
    });
}

function parseShare(option: string, text: string): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text.trim())?.[1];
  const share = Number(percent) / 100;
  if (percent !== undefined && share > 0 && share < 1) return share;
  throw new UsageError(`${option}: expected a percentage between 0 and 100 such as 25%, got '${text}'.`);
}

/** The parsed command line of `mmtok verify`. */
interface VerifyCommand extends VerifyRequest {
  /** The folder of verify.html and verify.json. */
  readonly out: string;
  readonly json: boolean;
  /** Version of this program, for the report. */
  readonly version: string;
}

const UNWRITABLE = 'it cannot be written';

/** The JSON document: the report without its images, and the machine. */
export interface VerifyDocument {
  readonly mmtok: string;
  readonly machine: string;
  readonly report: Omit<VerifyReport, 'images'> & {
    readonly images: readonly Omit<VerifiedImage, 'preview'>[];
  };
}

/**
 * Verifies a model, prints a table, and writes a page and JSON.
 * @returns The exit code: a failure if a check failed.
 * @throws InputFileError if the folder is not writable.
 */
async function verify(
  { out, json, version, ...request }: VerifyCommand,
  { io, services }: Context,
): Promise<number> {
  const folder = resolve(io.cwd, out);
  // Before the verification, which takes minutes.
  await orInputFileError(folder, UNWRITABLE, () => mkdir(folder, { recursive: true }));
  const status = createStatusLine(io.stderr);
  const verified = await services.verifyModel(request, io, ({ done, total, what }) =>
    status.show(`${done + 1} of ${total}: ${what} …`),
  );
  status.clear();
  // As given: the absolute path of a folder is private.
  const report = { ...verified, model: { ...verified.model, source: request.model } };
  const head = { mmtok: version, machine: describeMachine() };
  const document: VerifyDocument = { ...head, report: withoutPreviews(report) };
  const files = [
    ['verify.json', JSON.stringify(document, null, 2)],
    ['verify.html', await verifyPage({ ...head, report })],
  ] as const;
  for (const [name, text] of files) {
    const path = join(folder, name);
    await orInputFileError(path, UNWRITABLE, () => writeFile(path, text));
  }
  if (json) printJson(io.stdout, document);
  else {
    const width = Math.min(io.stdout.columns ?? 100, 120);
    for (const line of verifyLines(report, width, colorsFor(io.stdout, io.env))) print(io.stdout, line);
    print(io.stdout);
    print(
      io.stdout,
      `Wrote ${join(out, 'verify.html')} and ${join(out, 'verify.json')}, which you can attach to an issue.`,
    );
  }
  return report.passed ? EXIT.ok : EXIT.failure;
}

function withoutPreviews(report: VerifyReport): VerifyDocument['report'] {
  return { ...report, images: report.images.map(({ preview: _, ...image }) => image) };
}
