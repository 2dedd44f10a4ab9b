// The command line: names, options, help. What commands do is in commands/.

import { createRequire } from 'node:module';
import { DEFAULT_AGENT_MODEL } from '@mmtok/agent';
import { Command, Option } from 'commander';
import { ask } from './commands/ask.js';
import type { Context } from './commands/context.js';
import { demo } from './commands/demo.js';
import { doctor } from './commands/doctor.js';
import { addEval } from './commands/eval/program.js';
import { select } from './commands/select.js';
import { addServe } from './commands/serve.js';
import { addVerify } from './commands/verify.js';
import { BACKENDS, type BackendName } from './engines/create-backend.js';
import { UsageError } from './errors.js';
import { TINY, TINY_SMALL } from './models/load.js';
import { parseCount, parseDtype, parseFocus, parseIndices, parseKeep, parseNumber } from './options.js';
import { safeText } from './terminal/text.js';

/** The program, and the exit code that a command left. */
export interface Program {
  readonly command: Command;
  readonly exitCode: () => number;
}

/** Builds the program around its surroundings. */
export function createProgram(context: Context): Program {
  const { stdout, stderr } = context.io;
  let exitCode = 0;
  const program = new Command('mmtok')
    .description(
      'Vision-language models with fewer vision tokens: keeps those that best cover question and picture\n' +
        '(MMTok, https://arxiv.org/abs/2508.18264).',
    )
    .version(versionOfThis(), '-V, --version', 'print the version')
    .option('--debug', 'on errors, print the stack')
    .helpOption('-h, --help', 'print help')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(safeText(text)),
      writeErr: (text) => stderr.write(safeText(text)),
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
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
  for (const command of program.commands) {
    command.showHelpAfterError(`(mmtok ${command.name()} --help shows its options)`);
    // Or else a misspelt option of a subcommand is taken for one of its parent's, which it does not have.
    command.enablePositionalOptions();
    // The default subcommand is hidden, and its options are shown as those of its parent.
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
  mmtok select features.safetensors --keep 64 --json  token selection for any other program
  mmtok eval shapes                                   what pruning does to answers, offline
  mmtok verify ./my-export                            whether pruning is right and worth it on a model
  mmtok doctor                                        what runs on this machine`;

const ASK_EXAMPLES = `
The question is the last argument; everything before it is an image (a path or a URL).
Models: the embedded ${TINY} and ${TINY_SMALL} answer questions about drawn shapes only. Real ones are downloaded once, e.g.
  HuggingFaceTB/SmolVLM2-256M-Video-Instruct, llava-hf/llava-interleave-qwen-0.5b-hf, onnx-community/Qwen2-VL-2B-Instruct

Examples:
  mmtok ask node_modules/@mmtok/tiny-vlm/samples/0.png "What shape is the purple object?"
  mmtok ask photo.jpg "What is on the table?" --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct --dtype q4 --overlay kept.png
  mmtok ask before.jpg after.jpg "What changed?" --keep 64 --model ./my-model --json
  mmtok ask photo.jpg "Read the sign." --keep c0.95 --compare --device webgpu
  mmtok ask scene.png "What color is the background?" --keep 8 --agent ${TINY_SMALL}
  mmtok ask scene.png "How many red circles are there?" --keep 8 --focus 4`;

const SELECT_EXAMPLES = `
The file holds matrices of floats (F32, F16, BF16 or F64):
  vision_tokens    [n, D]  vision tokens as the language model would receive them
  vision_features  [n, d]  features from before the projector; optional
  text_tokens      [m, D]  input embeddings of the question's tokens; optional
With --json it prints {"indices": [...], "order": [...], "gains": [...], "coverage": {...}, "optimality": ...}.

Examples:
  mmtok select features.safetensors --keep 64
  mmtok select features.safetensors --keep 10% --exclude 0-23,40 --json
  python make_features.py | mmtok select - --keep c0.95 --json`;

const DEMO_EXAMPLES = `
Examples:
  mmtok demo
  mmtok demo --keep 16 --out pictures
  mmtok demo --json`;

const DOCTOR_EXAMPLES = `
Examples:
  mmtok doctor
  mmtok doctor --json`;

const keepOption = (): Option =>
  new Option('--keep <budget>', 'vision tokens to keep: 64, 10%, or c0.95 for a share of the coverage');
const backendOption = (): Option =>
  new Option('--backend <name>', 'engine that selects tokens (cpu: plain JavaScript)')
    .choices(BACKENDS)
    .default('ort');
const focusOption = (): Option =>
  new Option(
    '--focus <strength>',
    'cover vision tokens by how much they matter to the question, in place of text coverage: 4, or auto to let the question decide',
  );
const jsonOption = (): Option => new Option('--json', 'print JSON').default(false);
const DEFAULT_KEEP = '10%';

interface AskFlags {
  readonly model: string;
  readonly keep: string;
  readonly backend: BackendName;
  readonly device?: string;
  readonly dtype?: string;
  readonly prompt?: string;
  readonly agent?: string | true;
  readonly focus?: string;
  readonly maxNewTokens?: string;
  readonly overlay?: string;
  readonly compare: boolean;
  readonly json: boolean;
}

function addAsk(program: Command, context: Context): void {
  program
    .command('ask')
    .description('answer a question about one or more images with pruned vision tokens')
    .usage('<image...> "<question>" [options]')
    .argument('<image-and-question...>', 'images (paths or URLs), and last the question')
    .option('--model <name>', `${TINY} or ${TINY_SMALL} (embedded), a hub id, or a folder`, TINY)
    .addOption(keepOption().default(DEFAULT_KEEP))
    .addOption(backendOption())
    .option('--device <name>', 'where the model runs: cpu, cuda, webgpu, dml, coreml')
    .option('--dtype <name>', 'precision of the weights: fp32, fp16, q8, q4, …, or part=precision,…')
    .option(
      '--prompt <template>',
      "prompt with <image> and {question}, in place of the model's chat template",
    )
    .option(
      '--agent [model]',
      `a small model answers first, and its words join the question's (default: ${DEFAULT_AGENT_MODEL})`,
    )
    .option('--max-new-tokens <count>', 'length of the answer at most (default: 128)')
    .option('--overlay <file>', 'write a PNG that shows which tokens were kept')
    .addOption(focusOption())
    .option('--compare', 'answer with all tokens as well', false)
    .addOption(jsonOption())
    .addHelpText('after', ASK_EXAMPLES)
    .action(async (words: readonly string[], flags: AskFlags) => {
      const images = words.slice(0, -1);
      const question = words.at(-1)?.trim() ?? '';
      if (images.length === 0) {
        throw new UsageError(
          `Expected one or more images and then a question, got only '${question}'. Example: mmtok ask photo.jpg "What is on the table?"`,
        );
      }
      if (question === '') throw new UsageError('The question is empty. Write it last, in quotes.');
      const { model, backend, device, dtype, prompt, agent, focus, maxNewTokens, overlay, compare, json } =
        flags;
      await ask(
        {
          images,
          question,
          model,
          budget: parseKeep(flags.keep),
          backend,
          ...(device !== undefined && { device }),
          ...(dtype !== undefined && { dtype: parseDtype(dtype) }),
          // A shell passes \n as it is written.
          ...(prompt !== undefined && { promptTemplate: prompt.replaceAll('\\n', '\n') }),
          ...(agent !== undefined && { agent: agent === true ? DEFAULT_AGENT_MODEL : agent }),
          ...(focus !== undefined && { focus: parseFocus(focus) }),
          ...(maxNewTokens !== undefined && { maxNewTokens: parseCount('--max-new-tokens', maxNewTokens) }),
          ...(overlay !== undefined && { overlay }),
          compare,
          json,
        },
        context,
      );
    });
}

interface SelectFlags {
  readonly keep: string;
  readonly textTemperature: string;
  readonly visionTemperature: string;
  readonly alpha: string;
  readonly focus?: string;
  readonly exclude?: string;
  readonly include?: string;
  readonly backend: BackendName;
  readonly device?: string;
  readonly json: boolean;
}

function addSelect(program: Command, context: Context): void {
  program
    .command('select')
    .description('select tokens from a file of features; for programs in any language')
    .argument('<file>', 'a safetensors file, or - for standard input')
    .addOption(keepOption().makeOptionMandatory())
    .option('--text-temperature <number>', 'softmax temperature of text coverage', '0.02')
    .option('--vision-temperature <number>', 'softmax temperature of vision coverage', '0.2')
    .option('--alpha <number>', 'weight of vision coverage beside text coverage', '0.5')
    .addOption(focusOption().conflicts(['alpha', 'textTemperature']))
    .option('--exclude <indices>', 'tokens never to keep, e.g. 0-23,40')
    .option('--include <indices>', 'tokens always to keep; they count towards the budget')
    .addOption(backendOption())
    .option(
      '--device <name>',
      'device of the backend: cpu, cuda, webgpu, …; for tfjs tensorflow, wasm or cpu',
    )
    .addOption(jsonOption())
    .addHelpText('after', SELECT_EXAMPLES)
    .action(async (file: string, flags: SelectFlags) => {
      const { keep, textTemperature, visionTemperature, alpha, focus } = flags;
      const { exclude, include, backend, device, json } = flags;
      await select(
        {
          file,
          budget: parseKeep(keep),
          textTemperature: parseNumber('--text-temperature', textTemperature),
          visionTemperature: parseNumber('--vision-temperature', visionTemperature),
          alpha: parseNumber('--alpha', alpha),
          ...(focus !== undefined && { focus: parseFocus(focus) }),
          exclude: exclude === undefined ? [] : parseIndices('--exclude', exclude),
          include: include === undefined ? [] : parseIndices('--include', include),
          backend,
          ...(device !== undefined && { device }),
          json,
        },
        context,
      );
    });
}

interface DemoFlags {
  readonly keep: string;
  readonly backend: BackendName;
  readonly out: string;
  readonly questions: string;
  readonly json: boolean;
}

function addDemo(program: Command, context: Context): void {
  program
    .command('demo')
    .description('let the embedded model answer sample questions with all its vision tokens and with a tenth')
    .addOption(keepOption().default(DEFAULT_KEEP))
    .addOption(backendOption())
    .option('--out <folder>', 'where to write pictures of the kept tokens', 'mmtok-demo')
    .option('--questions <count>', 'questions for each of the sample pictures, as far as there are', '2')
    .addOption(jsonOption())
    .addHelpText('after', DEMO_EXAMPLES)
    .action(async ({ keep, backend, out, questions, json }: DemoFlags) => {
      await demo(
        { budget: parseKeep(keep), backend, out, questions: parseCount('--questions', questions), json },
        context,
      );
    });
}

function addDoctor(program: Command, context: Context, exit: (code: number) => void): void {
  program
    .command('doctor')
    .description('show which engines and devices work here, and how to get the ones that do not')
    .addOption(jsonOption())
    .addHelpText('after', DOCTOR_EXAMPLES)
    .action(async ({ json }: { readonly json: boolean }) => {
      exit(await doctor({ json }, context));
    });
}

function versionOfThis(): string {
  const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string };
  return manifest.version;
}
