// Names, options, and help of `mmtok eval speed`.

import { modelDims } from '@mmtok/eval/speed';
import { type Command, Option } from 'commander';
import { BACKENDS, type BackendName } from '../../engines/create-backend.js';
import { parseCount, parseKeep, parseList } from '../../options.js';
import type { Context } from '../context.js';

const EXAMPLES = `
The weights are random, for speed does not depend on their values: nothing is downloaded. A decoder of exactly these
dimensions reads the same prompt with all vision tokens and with those that MMTok keeps, in turns; the table has medians.
Where weights do not fit into memory, --layers builds some of the layers, and times are multiplied up to all of them.
Dimensions: ${Object.keys(modelDims).join(', ')};
or a JSON file such as {"title": "Mine", "hidden": 576, "layers": 30, "heads": 9, "keyValueHeads": 3, "headDim": 64,
"intermediate": 1536, "vocabulary": 49280, "attentionBias": false, "visionTokens": 1088, "visionWidth": 12288,
"keep": ["64", "10%"]}.

Examples:
  mmtok eval speed --dims smolvlm-256m
  mmtok eval speed --dims llava-1.5-7b --dtype q4 --keep 192,128,64
  mmtok eval speed --dims llava-next-13b --layers 2 --keep 640,320,160
  mmtok eval speed --dims llava-next-13b --dtype fp16 --device cuda --json
  mmtok eval speed --dims ./my-dims.json --keep c0.9`;

interface SpeedFlags {
  readonly dims: string;
  readonly layers?: string;
  readonly keep?: string;
  readonly dtype: 'fp32' | 'fp16' | 'q4';
  readonly device: string;
  readonly backend: BackendName;
  readonly text: string;
  readonly rounds: string;
  readonly decode: string;
  readonly json: boolean;
}

/** Adds the command to `eval`. Its code is loaded when it runs. */
export function addSpeed(parent: Command, context: Context): void {
  parent
    .command('speed')
    .description(
      "measure what pruning does to time and memory at a model's true dimensions, without its weights",
    )
    .requiredOption('--dims <name>', 'dimensions by name, or a JSON file of your own')
    .option('--layers <count>', 'layers to build; times are scaled to all of them (default: all)')
    .option('--keep <budgets>', "budgets: 64, 10%, c0.9 (default: the paper's for these dimensions)")
    .addOption(
      new Option('--dtype <name>', 'precision of the weights')
        .choices(['fp32', 'fp16', 'q4'])
        .default('fp32'),
    )
    .option('--device <name>', 'where decoder and selection run: cpu, cuda, webgpu, dml, coreml', 'cpu')
    .addOption(new Option('--backend <name>', 'engine of the selection').choices(BACKENDS).default('ort'))
    .option('--text <count>', 'text tokens of the prompt', '64')
    .option('--rounds <count>', 'passes over each prompt', '3')
    .option('--decode <count>', 'tokens to generate after each', '8')
    .option('--json', 'print JSON', false)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: SpeedFlags) => {
      const { dims, layers, keep, dtype, device, backend, json } = flags;
      const budgets = keep === undefined ? undefined : parseList('--keep', keep);
      for (const budget of budgets ?? []) parseKeep(budget);
      const request = {
        dims,
        dtype,
        device,
        backend,
        textTokens: parseCount('--text', flags.text),
        rounds: parseCount('--rounds', flags.rounds),
        decodeTokens: parseCount('--decode', flags.decode),
        json,
        ...(layers !== undefined && { layers: parseCount('--layers', layers) }),
        ...(budgets && { budgets }),
      };
      const { measureDims } = await import('./speed.js');
      await measureDims(request, context);
    });
}
