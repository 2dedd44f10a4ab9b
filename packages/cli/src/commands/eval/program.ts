// Names, options, and help of `mmtok eval` and its subcommands, whose code is loaded when they run.

import { MATCHES, SHAPES, taskNames } from '@mmtok/eval/tasks';
import { type Command, Option } from 'commander';
import { TINY, TINY_SMALL } from '../../models/load.js';
import {
  backendOption,
  budgetsOption,
  deviceOption,
  dtypeOption,
  jsonOption,
  parseCount,
  parsed,
  parseInteger,
  parseList,
  parseShard,
  promptOption,
} from '../../options.js';
import type { Context } from '../context.js';
import type { EvalRequest } from './run.js';
import { addSpeed } from './speed-program.js';

const DEFAULT_METHODS = ['mmtok', 'vision-only', 'divprune', 'cdpruner', 'uniform', 'random'];

const EXAMPLES = `
A run is a folder: run.json describes it, records.jsonl has a line per answer. Runs resume: rerun the command to continue; new
methods or budgets are added. Methods: see mmtok eval methods; "all" means all that the model can run, with a note on those
left out; mmtok-agent asks --agent first; mmtok-oracle knows the true answer, which bounds what any agent can contribute; a path
such as ./my-method.js is a module that exports your own. Tasks: ${SHAPES}, ${taskNames.join(', ')},
or a folder such as ./my-task with images and a JSONL file of questions and answers.

Examples:
  mmtok eval ${SHAPES}                                                   the embedded benchmark, offline
  mmtok eval ${SHAPES} --methods mmtok,divprune,random --keep 64,32,16,10%,c0.9 --out results
  mmtok eval ${SHAPES} --methods mmtok,./my-method.js --limit 100 --seed 1
  mmtok eval ${SHAPES} --methods mmtok,mmtok-agent,mmtok-oracle --agent ${TINY_SMALL} --keep 8,4
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
    .usage('<task> [options]')
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
  command.configureHelp({ visibleOptions: () => run.createHelp().visibleOptions(run) });
}

function addRun(parent: Command, context: Context, exit: (code: number) => void): Command {
  return parent
    .command('run', { isDefault: true, hidden: true })
    .usage('<task> [options]')
    .argument(
      '<task>',
      `${SHAPES} (embedded), a benchmark such as pope or gqa, or a folder such as ./my-task`,
    )
    .option('--model <name>', `${TINY} (embedded), a hub id, or a folder`, TINY)
    .addOption(
      parsed('--methods <names>', 'method names, or paths of modules that export methods', parseList).default(
        DEFAULT_METHODS,
        DEFAULT_METHODS.join(','),
      ),
    )
    .option(
      '--agent <name>',
      `a model that answers first, for mmtok-agent: ${TINY_SMALL} (embedded), a hub id, or a folder`,
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
    .option('--from <path>', 'path of the data set, if it is not on the hub')
    .addOption(
      new Option('--match <way>', "how to compare answers to your own folder's questions").choices(MATCHES),
    )
    .option('--follow-links', "follow symbolic links out of the data set's folder", false)
    .option('--skip-broken', 'skip questions whose image is damaged, and list them', false)
    .addOption(backendOption())
    .addOption(deviceOption())
    .addOption(dtypeOption())
    .addOption(promptOption())
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (task: string, options: EvalOptions) => {
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

/** The options as a user would write them, defaults included, for the report. */
function asWritten(options: EvalOptions): string[] {
  return Object.entries(options)
    .filter(([name, value]) => value !== undefined && value !== false && name !== 'json')
    .map(([name, value]) => {
      const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      const text = valueAsWritten(value).replaceAll('\n', '\\n');
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
