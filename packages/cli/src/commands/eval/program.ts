// Names, options and help of `mmtok eval` and its subcommands. What they do is in eval.ts, eval-merge.ts,
// eval-report.ts; `eval speed` has files of its own.

import { type FolderTaskOptions, MATCHES, taskNames } from '@mmtok/eval/tasks';
import { type Command, Option } from 'commander';
import { BACKENDS, type BackendName } from '../../engines/create-backend.js';
import { TINY, TINY_SMALL } from '../../models/load.js';
import { parseCount, parseDtype, parseInteger, parseKeep, parseList, parseShard } from '../../options.js';
import type { Context } from '../context.js';
import { addSpeed } from './speed-program.js';

/** The embedded benchmark. */
const SHAPES = 'shapes';

const EXAMPLES = `
A run is a folder: run.json says what was run, records.jsonl has a line per answer. Started again, a run goes on where
it was; with more methods or budgets it adds those. Methods: see mmtok eval methods; "all" are all that the model
can run, and it is said which are left out; mmtok-agent asks --agent first; mmtok-oracle is told the true answer, which
bounds what any agent can give; a path such as ./my-method.js is a module that exports one of yours. Tasks: ${SHAPES}, ${taskNames.join(', ')},
or a folder such as ./my-task with pictures and a JSONL of questions and answers.

Examples:
  mmtok eval ${SHAPES}                                                   the embedded benchmark, offline
  mmtok eval ${SHAPES} --methods mmtok,divprune,random --keep 64,32,16,10%,c0.9 --out results
  mmtok eval ${SHAPES} --methods mmtok,./my-method.js --limit 100 --seed 1
  mmtok eval ${SHAPES} --methods mmtok,mmtok-agent,mmtok-oracle --agent ${TINY_SMALL} --keep 8,4
  mmtok eval ./my-task --match anls --skip-broken                       a folder of your own
  mmtok eval pope --from ./POPE --model HuggingFaceTB/SmolVLM2-256M-Video-Instruct --limit 500 --seed 0
  mmtok eval ${SHAPES} --methods all --shard 0/4 --out part-0            one of four machines
  mmtok eval merge part-0 part-1 part-2 part-3 --out results
  mmtok eval report results
  mmtok eval compare results-q4 results-fp16                          paired differences of two runs
  mmtok eval speed --dims llava-1.5-7b --layers 4                     time and memory at real sizes

Exit codes: 0 done, 1 failed (a run that prunes nothing fails), 2 wrong usage, 3 done but questions were skipped, 130 stopped.`;

interface EvalFlags {
  readonly model: string;
  readonly methods: string;
  readonly agent?: string;
  readonly keep: string;
  readonly out: string;
  readonly limit?: string;
  readonly seed?: string;
  readonly shard?: string;
  readonly from?: string;
  readonly match?: FolderTaskOptions['match'];
  readonly followLinks: boolean;
  readonly skipBroken: boolean;
  readonly backend: BackendName;
  readonly device?: string;
  readonly dtype?: string;
  readonly prompt?: string;
  readonly json: boolean;
}

/** Adds the commands. Their code is loaded when one of them runs. */
export function addEval(program: Command, context: Context, exit: (code: number) => void): void {
  const command = program
    .command('eval')
    .description('measure what pruning does to answers, for several methods and budgets')
    .usage('<task> [options]')
    .addHelpText('after', EXAMPLES);
  const run = addRun(command, context, exit);
  addSpeed(command, context);
  command
    .command('report')
    .description('write a report of a run: report.html, report.md and report.csv')
    .argument('<folder>', 'the folder of a run')
    .addHelpText('after', '\nExamples:\n  mmtok eval report results')
    .action(async (folder: string) => {
      const { reportEvaluation } = await import('./report.js');
      await reportEvaluation({ folder }, context);
    });
  command
    .command('compare')
    .description('compare two runs question by question: two versions, two models, two budgets')
    .argument('<folderA>', 'the folder of a run')
    .argument('<folderB>', 'the folder of another run of the same questions')
    .option('--out <folder>', 'folder for compare.html and compare.md', 'mmtok-compare')
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExamples:\n  mmtok eval compare results-q4 results-fp16')
    .action(async (a: string, b: string, flags: { readonly out: string; readonly json: boolean }) => {
      const { compareEvaluations } = await import('./compare.js');
      await compareEvaluations({ folders: [a, b], ...flags }, context);
    });
  command
    .command('methods')
    .description('list the methods, who describes them, and what each needs from a model')
    .option('--json', 'print JSON', false)
    .addHelpText('after', '\nExamples:\n  mmtok eval methods')
    .action(async (flags: { readonly json: boolean }) => {
      const { listMethods } = await import('./methods-list.js');
      listMethods(flags, context);
    });
  command
    .command('merge')
    .description('join the shards of one evaluation')
    .argument('<folders...>', 'the folders of the shards')
    .requiredOption('--out <folder>', 'folder of the whole')
    .addHelpText('after', '\nExamples:\n  mmtok eval merge part-0 part-1 --out results')
    .action(async (folders: readonly string[], { out }: { readonly out: string }) => {
      const { mergeEvaluations } = await import('./merge.js');
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
    .option(
      '--methods <names>',
      'methods, or modules that export some',
      'mmtok,vision-only,divprune,cdpruner,uniform,random',
    )
    .option(
      '--agent <name>',
      `a model that answers first, for mmtok-agent: ${TINY_SMALL} (embedded), a hub id, or a folder`,
    )
    .option(
      '--keep <budgets>',
      'budgets: 64, 10%, or c0.9 for as many as MMTok needs for that coverage',
      '10%',
    )
    .option('--out <folder>', 'folder of the run', 'mmtok-eval')
    .option('--limit <count>', 'questions at most')
    .option('--seed <number>', 'for the choice of questions under --limit, and for random methods')
    .option('--shard <part>', 'one part of the questions, e.g. 0/4')
    .option('--from <path>', 'where the dataset lies, if not on the hub')
    .addOption(
      new Option('--match <way>', 'how answers to a folder of your own are compared').choices(MATCHES),
    )
    .option('--follow-links', 'follow symbolic links out of the folder of the dataset', false)
    .option('--skip-broken', 'leave out questions whose picture is damaged, and name them', false)
    .addOption(new Option('--backend <name>', 'engine of the methods').choices(BACKENDS).default('ort'))
    .option('--device <name>', 'where the model runs: cpu, cuda, webgpu, dml, coreml')
    .option('--dtype <name>', 'precision of the weights: fp32, fp16, q8, q4, …, or part=precision,…')
    .option(
      '--prompt <template>',
      "prompt with <image> and {question}, in place of the model's chat template",
    )
    .option('--json', 'print JSON', false)
    .addHelpText('after', EXAMPLES)
    .action(async (task: string, flags: EvalFlags) => {
      const {
        model,
        agent,
        limit,
        seed,
        shard,
        from,
        match,
        followLinks,
        skipBroken,
        backend,
        device,
        dtype,
        prompt,
        out,
        json,
      } = flags;
      const budgets = parseList('--keep', flags.keep);
      for (const budget of budgets) parseKeep(budget);
      const request = {
        task,
        model,
        methods: parseList('--methods', flags.methods),
        budgets,
        backend,
        out,
        json,
        command: ['mmtok eval', task, ...commandFlags(flags)].join(' '),
        ...(agent !== undefined && { agent }),
        ...(limit !== undefined && { limit: parseCount('--limit', limit) }),
        ...(seed !== undefined && { seed: parseInteger('--seed', seed) }),
        ...(shard !== undefined && { shard: parseShard(shard) }),
        ...(from !== undefined && { from }),
        ...(match !== undefined && { match }),
        followLinks,
        skipBroken,
        ...(device !== undefined && { device }),
        ...(dtype !== undefined && { dtype: parseDtype(dtype) }),
        ...(prompt !== undefined && { promptTemplate: prompt.replaceAll('\\n', '\n') }),
      };
      const { evaluate } = await import('./run.js');
      exit(await evaluate(request, context));
    });
}

/** The flags as one would write them, for the report. */
function commandFlags(flags: EvalFlags): string[] {
  return Object.entries(flags)
    .filter(([name, value]) => value !== undefined && value !== false && name !== 'json')
    .map(([name, value]) => `--${name} ${/[\s"'$]/.test(String(value)) ? JSON.stringify(value) : value}`);
}
