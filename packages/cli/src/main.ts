// Runs one command line and returns its exit code. The program's commands add themselves.

import { createRequire } from 'node:module';
import { Command, Help } from 'commander';
import { addAsk } from './commands/ask.js';
import { type Context, services } from './commands/context.js';
import { addDemo } from './commands/demo.js';
import { addDoctor } from './commands/doctor.js';
import { addEval } from './commands/eval/program.js';
import { addSelect } from './commands/select.js';
import { addServe } from './commands/serve.js';
import { addVerify } from './commands/verify.js';
import { explainFailure } from './errors.js';
import { type Io, print } from './terminal/io.js';
import { safeText } from './terminal/text.js';

/**
 * Runs a command line such as `['ask', 'photo.jpg', 'What is this?']`.
 * @returns The exit code: 0 for success, 1 for failures, 2 for wrong usage or bad input.
 */
export async function main(
  argv: readonly string[],
  io: Io,
  parts: Context['services'] = services,
): Promise<number> {
  const program = createProgram({ io, services: parts });
  try {
    await program.command.parseAsync([...argv], { from: 'user' });
    return program.exitCode();
  } catch (error) {
    const { exitCode, message } = explainFailure(error, argv.includes('--debug'));
    if (message !== undefined) print(io.stderr, message);
    return exitCode;
  }
}

// The program: its commands, its help, its version. Commands add themselves.

/** The program, and the exit code that a command set. */
interface Program {
  readonly command: Command;
  readonly exitCode: () => number;
}

/** Builds the program. */
function createProgram(context: Context): Program {
  const { stdout, stderr } = context.io;
  let exitCode = 0;
  const program = new Command('mmtok')
    .description(
      'Runs vision-language models on the few vision tokens that best cover the question and the image\n' +
        '(MMTok, https://arxiv.org/abs/2508.18264).',
    )
    .version(versionOfThis(), '-V, --version', 'print the version')
    .option('--debug', 'print stack traces')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(safeText(text)),
      writeErr: (text) => stderr.write(safeText(text)),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    })
    .configureHelp({
      // A flag is off unless it is given.
      optionDescription: (option) => new Help().optionDescription(option).replace(/ \(default: false\)$/, ''),
    })
    .addHelpText('after', PROGRAM_EXAMPLES);
  addAsk(program, context);
  addSelect(program, context);
  addDemo(program, context);
  addEval(program, context, (code) => {
    exitCode = code;
  });
  addServe(program, context);
  addVerify(program, context, {
    version: versionOfThis(),
    exit: (code) => {
      exitCode = code;
    },
  });
  addDoctor(program, context, (code) => {
    exitCode = code;
  });
  program.showHelpAfterError('(mmtok --help shows its commands)');
  for (const command of program.commands) {
    command.showHelpAfterError(`(mmtok ${command.name()} --help shows its options)`);
    // Otherwise a misspelled option of a subcommand is attributed to its parent.
    command.enablePositionalOptions();
    // The default subcommand is hidden; its options are shown as its parent's.
    const named = command.createHelp().visibleCommands(command);
    for (const each of command.commands) {
      const path = named.includes(each) ? `${command.name()} ${each.name()}` : command.name();
      each.showHelpAfterError(`(mmtok ${path} --help shows its options)`);
    }
  }
  return { command: program, exitCode: () => exitCode };
}

const PROGRAM_EXAMPLES = `
Examples:
  mmtok demo                                          see it work, offline
  mmtok ask photo.jpg "What is on the table?" --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct
  mmtok select features.safetensors --keep 64 --json  token selection for other programs
  mmtok eval shapes                                   how pruning changes answers, offline
  mmtok serve --model ./my-model                      an OpenAI-compatible server
  mmtok verify ./my-export                            whether pruning is correct and worthwhile on a model
  mmtok doctor                                        what runs on this machine`;

function versionOfThis(): string {
  const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string };
  return manifest.version;
}
