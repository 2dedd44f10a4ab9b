// Names, options, and help of `mmtok eval` and its subcommands, whose code is loaded when they run.

import { modelDims } from '@mmtok/eval/speed';
import { MATCHES, SHAPES, SIGNS, taskNames } from '@mmtok/eval/tasks';
import { type Command, Option } from 'commander';
import { UsageError } from '../../errors.js';
import {
  backendOption,
  budgetsOption,
  deviceOption,
  dtypeOption,
  isEmbedded,
  jsonOption,
  modelName,
  modelOption,
  parseCount,
  parsed,
  parseInteger,
  parseList,
  parseShard,
  parseSize,
  promptOption,
  TINY_SMALL,
  TINY_TILED,
  tilesAsWritten,
  tilesOption,
} from '../../options.js';
import { print } from '../../terminal/io.js';
import { wrapColumns } from '../../terminal/text.js';
import type { Context } from '../context.js';
import type { EvalRequest } from './run.js';
import type { SpeedRequest } from './speed.js';

const DEFAULT_METHODS = ['mmtok', 'vision-only', 'divprune', 'cdpruner', 'uniform', 'random'];

/** A list, in lines as long as those of the help around it. */
const lines = (text: string): string => wrapColumns(text, 125).join('\n');

const EXAMPLES = `
A run is a folder: run.json describes it, records.jsonl has a line per answer. Runs resume: rerun the command to continue; new
methods or budgets are added. Methods: see mmtok eval methods; "all" runs every method that the model supports and lists the
others; mmtok-agent asks --agent first; mmtok-oracle knows the true answer, an upper bound for agents; a path such as ./my-method.js
is a module that exports your own.
${lines(`Tasks: ${SHAPES} and ${SIGNS} (embedded), ${taskNames.join(', ')}, or a folder such as ./my-task with images and a JSONL file of questions and answers.`)}

Examples:
  mmtok eval ${SHAPES}                                                   the embedded benchmark, offline
  mmtok eval ${SHAPES} --methods mmtok,divprune,random --keep 64,32,16,10%,c0.9 --out results
  mmtok eval ${SHAPES} --methods mmtok,./my-method.js --limit 100 --seed 1
  mmtok eval ${SHAPES} --methods mmtok,mmtok-agent,mmtok-oracle --agent ${TINY_SMALL} --keep 8,4
  mmtok eval ${SIGNS} --model ${TINY_TILED} --methods all --keep 20%,8      tiles, and signs to read
  mmtok eval ./my-task --match anls --skip-broken                       your own folder
  mmtok eval pope --from ./POPE --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct --limit 500 --seed 0
  mmtok eval ${SHAPES} --methods all --shard 0/4 --out part-0            one of four machines
  mmtok eval merge part-0 part-1 part-2 part-3 --out results
  mmtok eval report results
  mmtok eval compare results-q4 results-fp16                          paired differences of two runs
  mmtok eval speed --dims llava-1.5-7b --layers 4                     time and memory at real sizes

Exit codes: 0 success, 1 failure (also if nothing was pruned), 2 wrong usage, 3 questions were skipped, 130 interrupted.`;

interface EvalOptions extends Omit<EvalRequest, 'task' | 'budgets' | 'promptTemplate' | 'command'> {
  readonly keep: readonly string[];
  readonly prompt?: string;
}

/** Adds the commands. Their code is loaded when one of them runs. */
export function addEval(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command('eval')
    .description('measure how pruning changes answers, for several methods and budgets')
    .usage('[task] [options]')
    .addHelpText('after', EXAMPLES);
  const run = addRun(command, context, exit);
  addSpeed(command, context);
  command
    .command('report')
    .description('write the report of a run: report.html, report.md, and report.csv')
    .argument('<folder>', 'the folder of a run')
    .addHelpText('after', '\nExamples:\n  mmtok eval report results')
    .action(async (folder: string) => {
      const { reportEvaluation } = await import('./results.js');
      await reportEvaluation({ folder }, context);
    });
  command
    .command('compare')
    .description('compare two runs question by question: two versions, two models, two budgets')
    .argument('<folderA>', 'the folder of a run')
    .argument('<folderB>', 'the folder of another run of the same questions')
    .option('--out <folder>', 'folder for compare.html and compare.md', 'mmtok-compare')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  mmtok eval compare results-q4 results-fp16')
    .action(async (a: string, b: string, flags: { readonly out: string; readonly json: boolean }) => {
      const { compareEvaluations } = await import('./results.js');
      await compareEvaluations({ folders: [a, b], ...flags }, context);
    });
  command
    .command('methods')
    .description('list the methods with their sources and what each needs from a model')
    .addOption(jsonOption())
    .addHelpText('after', '\nExamples:\n  mmtok eval methods')
    .action(async (flags: { readonly json: boolean }) => {
      const { listMethods } = await import('./methods.js');
      listMethods(flags, context);
    });
  command
    .command('merge')
    .description('merge the shards of one evaluation')
    .argument('<folders...>', 'the folders of the shards')
    .requiredOption('--out <folder>', 'folder for the merged run')
    .addHelpText('after', '\nExamples:\n  mmtok eval merge part-0 part-1 --out results')
    .action(async (folders: readonly string[], { out }: { readonly out: string }) => {
      const { mergeEvaluations } = await import('./results.js');
      mergeEvaluations({ folders, out }, context);
    });
  // The run is what `mmtok eval <task>` does, so its options are those to show; last, as subcommands inherit this.
  command.configureHelp({
    ...command.configureHelp(),
    visibleOptions: () => run.createHelp().visibleOptions(run),
  });
}

function addRun(parent: Command, context: Context, exit: (code: number) => void): Command {
  return parent
    .command('run', { isDefault: true, hidden: true })
    .usage('[task] [options]')
    .argument(
      '[task]',
      `${SHAPES} or ${SIGNS} (embedded), a benchmark such as pope or gqa, or a folder such as ./my-task (default: the benchmark of an embedded --model)`,
    )
    .addOption(modelOption())
    .addOption(
      parsed('--methods <names>', 'method names, or paths of modules that export methods', parseList).default(
        DEFAULT_METHODS,
        DEFAULT_METHODS.join(','),
      ),
    )
    .addOption(
      new Option(
        '--agent <name>',
        `a model that answers first, for mmtok-agent: ${TINY_SMALL} (embedded), a hub id, or a folder`,
      ).argParser(modelName),
    )
    .addOption(
      budgetsOption('budgets: 64, 10%, or c0.9 for as many tokens as MMTok needs for that coverage').default(
        ['10%'],
        '10%',
      ),
    )
    .option('--out <folder>', "the run's folder", 'mmtok-eval')
    .addOption(parsed('--limit <count>', 'maximum number of questions', parseCount))
    .addOption(
      parsed('--seed <number>', 'seed of the sample under --limit, and of random methods', parseInteger),
    )
    .addOption(parsed('--shard <part>', 'one part of the questions, e.g. 0/4', parseShard))
    .option('--from <path>', 'path of the dataset, if it is not on the hub')
    .addOption(
      new Option('--match <way>', "how to compare answers to your own folder's questions").choices(MATCHES),
    )
    .option('--follow-links', "follow symbolic links out of the dataset's folder", false)
    .option('--skip-broken', 'skip questions whose image is damaged, and list them', false)
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .addOption(promptOption())
    .addOption(tilesOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (given: string | undefined, options: EvalOptions, command: Command) => {
      const task = given ?? ownTask(options.model, command.getOptionValueSource('model') === 'cli');
      const { keep: budgets, prompt, ...rest } = options;
      const request = {
        ...rest,
        task,
        budgets,
        command: ['mmtok eval', task, ...asWritten(options)].join(' '),
        ...(prompt !== undefined && { promptTemplate: prompt }),
      };
      const { evaluate } = await import('./run.js');
      exit(await evaluate(request, context));
    });
}

/**
 * The embedded benchmark of an embedded model that was named without a task.
 * @throws UsageError if there is none.
 */
function ownTask(model: string, isNamed: boolean): string {
  if (isNamed && isEmbedded(model)) return model === TINY_TILED ? SIGNS : SHAPES;
  throw new UsageError(
    `Expected a task: ${SHAPES} or ${SIGNS} (embedded), ${taskNames.join(', ')}, or a folder. Example: mmtok eval ${SHAPES}`,
  );
}

/** The options as a user would write them, defaults included, for the report. */
function asWritten(options: EvalOptions): string[] {
  return Object.entries(options)
    .filter(([name, value]) => value !== undefined && value !== false && name !== 'json')
    .map(([name, value]) => {
      const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      const written =
        name === 'tiles' && options.tiles ? tilesAsWritten(options.tiles) : valueAsWritten(value);
      const text = written.replaceAll('\n', '\\n');
      return value === true ? `--${flag}` : `--${flag} ${/[\s"'$]/.test(text) ? JSON.stringify(text) : text}`;
    });
}

function valueAsWritten(value: unknown): string {
  if (Array.isArray(value)) return value.join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('count' in value && 'index' in value) return `${value.index}/${value.count}`;
  return Object.entries(value)
    .map(([part, precision]) => `${part}=${precision}`)
    .join(',');
}

const SPEED_EXAMPLES = `
Speed does not depend on the values of weights, so they are random and nothing is downloaded. An encoder and a decoder of these
dimensions run from pixels to the first tokens, with all vision tokens and with those that MMTok keeps; runs are interleaved, and
the table shows medians. If weights do not fit into memory, --layers and --encoder-layers build some of the layers, and times are
scaled to all of them.
--costs runs nothing: it counts multiplications, the encoder's share of them, and the maximum gain of pruning after the encoder.
${lines(`Dimensions: ${Object.keys(modelDims).join(', ')};`)}
or a JSON file such as {"title": "Mine", "hidden": 576, "layers": 30, "heads": 9, "keyValueHeads": 3, "headDim": 64,
"intermediate": 1536, "vocabulary": 49280, "attentionBias": false, "visionTokens": 64, "visionWidth": 12288,
"keep": ["16", "10%"], "encoder": {"title": "SigLIP-B/16-512", "hidden": 768, "layers": 12, "heads": 12,
"intermediate": 3072, "gated": false, "patchValues": 768, "grid": [32, 32], "tiles": 1, "classToken": false,
"merge": 4, "projector": []}}. Without an encoder, timing starts after it.

Examples:
  mmtok eval speed --costs
  mmtok eval speed --dims smolvlm-256m --keep 10% --tiles 5
  mmtok eval speed --dims llava-1.5-7b --dtype q4 --keep 192,128,64
  mmtok eval speed --dims llava-next-13b --layers 2 --encoder-layers 2 --keep 640,320,160
  mmtok eval speed --dims qwen2.5-vl-3b --image-size 896x672 --layers 2 --encoder-layers 8
  mmtok eval speed --dims llava-next-13b --dtype fp16 --device cuda --json
  mmtok eval speed --dims ./my-dims.json --keep c0.9`;

interface SpeedFlags extends Omit<SpeedRequest, 'dims' | 'budgets' | 'textTokens' | 'decodeTokens'> {
  readonly dims?: string;
  /** The name of `imageSize` until 0.1. */
  readonly picture?: SpeedRequest['imageSize'];
  readonly costs: boolean;
  readonly keep?: readonly string[];
  readonly text: number;
  readonly decode: number;
}

/** Adds the command to `eval`. Its code is loaded when it runs. */
function addSpeed(parent: Command, context: Context): void {
  const count = (flags: string, description: string): Option => parsed(flags, description, parseCount);
  parent
    .command('speed')
    .description(
      "measure how pruning changes time and memory, starting from pixels, at a model's real dimensions without its weights",
    )
    .option('--dims <name>', 'dimensions by name, or your own JSON file')
    .option('--costs', 'count multiplications instead, for --dims or for all models', false)
    .addOption(count('--layers <count>', 'layers to build; times are scaled to all of them (default: all)'))
    .addOption(count('--encoder-layers <count>', 'the same for the vision encoder'))
    .addOption(
      parsed(
        '--image-size <size>',
        'image size in pixels, e.g. 896x672, for encoders that take any size',
        parseSize,
      ),
    )
    // The name of --image-size until 0.1.
    .addOption(parsed('--picture <size>', 'use --image-size', parseSize).hideHelp())
    .addOption(
      tilesOption(
        'also measure with only some tiles encoded, including the overview: a number such as 5, or 30%',
      ),
    )
    .addOption(budgetsOption("budgets: 64, 10%, c0.9 (default: the paper's for these dimensions)"))
    .addOption(
      new Option('--dtype <name>', 'precision of the weights')
        .choices(['fp32', 'fp16', 'q4'])
        .default('fp32'),
    )
    .option('--device <name>', 'where the model and the selection run: cpu, cuda, webgpu, dml, coreml', 'cpu')
    .addOption(backendOption())
    .addOption(count('--text <count>', 'text tokens of the prompt').default(64))
    .addOption(count('--rounds <count>', 'passes over each prompt').default(3))
    .addOption(count('--decode <count>', 'tokens to generate after each').default(8))
    .addOption(jsonOption())
    .addHelpText('after', SPEED_EXAMPLES)
    .action(async ({ dims, costs, keep, text, decode, picture, ...flags }: SpeedFlags) => {
      const imageSize = flags.imageSize ?? picture;
      if (picture !== undefined) {
        print(context.io.stderr, 'note: --picture is now --image-size; the old name will be removed in 0.2');
      }
      if (costs) {
        const { countCosts } = await import('./speed.js');
        await countCosts({ dims, imageSize, textTokens: text, json: flags.json }, context);
        return;
      }
      if (dims === undefined) {
        throw new UsageError(
          "required option '--dims <name>' not specified. Example: mmtok eval speed --dims smolvlm-256m",
        );
      }
      const { measureDims } = await import('./speed.js');
      await measureDims(
        { ...flags, dims, imageSize, textTokens: text, decodeTokens: decode, ...(keep && { budgets: keep }) },
        context,
      );
    });
}
