// Names, options, and help of `mmtok eval speed`.

import { modelDims } from '@mmtok/eval/speed';
import { type Command, Option } from 'commander';
import { UsageError } from '../../errors.js';
import { backendOption, budgetsOption, jsonOption, parseCount, parsed, parseSize } from '../../options.js';
import type { Context } from '../context.js';
import type { SpeedRequest } from './speed.js';

const EXAMPLES = `
Speed does not depend on the values of weights, so they are random and nothing is downloaded. An encoder and a decoder of these
dimensions run from pixels to the first tokens, with all vision tokens and with those that MMTok keeps; runs are interleaved, and
the table shows medians. If weights do not fit into memory, --layers and --encoder-layers build some of the layers, and times are
scaled to all of them.
--costs runs nothing: it counts multiplications, the encoder's share of them, and the maximum gain of pruning after the encoder.
Dimensions: ${Object.keys(modelDims).join(', ')};
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
  mmtok eval speed --dims qwen2.5-vl-3b --picture 896x672 --layers 2 --encoder-layers 8
  mmtok eval speed --dims llava-next-13b --dtype fp16 --device cuda --json
  mmtok eval speed --dims ./my-dims.json --keep c0.9`;

interface SpeedFlags extends Omit<SpeedRequest, 'dims' | 'budgets' | 'textTokens' | 'decodeTokens'> {
  readonly dims?: string;
  readonly costs: boolean;
  readonly keep?: readonly string[];
  readonly text: number;
  readonly decode: number;
}

/** Adds the command to `eval`. Its code is loaded when it runs. */
export function addSpeed(parent: Command, context: Context): void {
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
        '--picture <size>',
        'image size in pixels, e.g. 896x672, for encoders that take any size',
        parseSize,
      ),
    )
    .addOption(
      count('--tiles <count>', 'also measure with only this many tiles encoded, including the overview'),
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
    .addHelpText('after', EXAMPLES)
    .action(async ({ dims, costs, keep, text, decode, ...flags }: SpeedFlags) => {
      if (costs) {
        const { countCosts } = await import('./speed.js');
        await countCosts({ dims, picture: flags.picture, textTokens: text, json: flags.json }, context);
        return;
      }
      if (dims === undefined) throw new UsageError("required option '--dims <name>' not specified");
      const { measureDims } = await import('./speed.js');
      await measureDims(
        { ...flags, dims, textTokens: text, decodeTokens: decode, ...(keep && { budgets: keep }) },
        context,
      );
    });
}
