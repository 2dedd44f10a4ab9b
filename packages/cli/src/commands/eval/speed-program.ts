// Names, options, and help of `mmtok eval speed`.

import { modelDims } from '@mmtok/eval/speed';
import { type Command, Option } from 'commander';
import { BACKENDS, type BackendName } from '../../engines/create-backend.js';
import { UsageError } from '../../errors.js';
import { parseCount, parseKeep, parseList } from '../../options.js';
import type { Context } from '../context.js';

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

interface SpeedFlags {
  readonly dims?: string;
  readonly costs: boolean;
  readonly layers?: string;
  readonly encoderLayers?: string;
  readonly picture?: string;
  readonly tiles?: string;
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
      "measure how pruning changes time and memory, from pixels on, at a model's real dimensions, without its weights",
    )
    .option('--dims <name>', 'dimensions by name, or your own JSON file')
    .option('--costs', 'count multiplications instead, of all dimensions or those of --dims', false)
    .option('--layers <count>', 'layers to build; times are scaled to all of them (default: all)')
    .option('--encoder-layers <count>', 'the same for the vision encoder')
    .option('--picture <size>', 'image size in pixels, e.g. 896x672, for encoders that take any size')
    .option('--tiles <count>', 'also measure with only this many tiles encoded, including the overview')
    .option('--keep <budgets>', "budgets: 64, 10%, c0.9 (default: the paper's for these dimensions)")
    .addOption(
      new Option('--dtype <name>', 'precision of the weights')
        .choices(['fp32', 'fp16', 'q4'])
        .default('fp32'),
    )
    .option('--device <name>', 'where the model and the selection run: cpu, cuda, webgpu, dml, coreml', 'cpu')
    .addOption(new Option('--backend <name>', 'engine of the selection').choices(BACKENDS).default('ort'))
    .option('--text <count>', 'text tokens of the prompt', '64')
    .option('--rounds <count>', 'passes over each prompt', '3')
    .option('--decode <count>', 'tokens to generate after each', '8')
    .option('--json', 'print JSON', false)
    .addHelpText('after', EXAMPLES)
    .action(async (flags: SpeedFlags) => {
      const { dims, costs, layers, encoderLayers, picture, tiles, keep, dtype, device, backend, json } =
        flags;
      const textTokens = parseCount('--text', flags.text);
      const shown = picture === undefined ? undefined : parsePicture(picture);
      if (costs) {
        const { countCosts } = await import('./speed.js');
        await countCosts({ dims, picture: shown, textTokens, json }, context);
        return;
      }
      if (dims === undefined) {
        throw new UsageError("required option '--dims <name>' not specified");
      }
      const budgets = keep === undefined ? undefined : parseList('--keep', keep);
      for (const budget of budgets ?? []) parseKeep(budget);
      const { measureDims } = await import('./speed.js');
      const request = {
        dims,
        dtype,
        device,
        backend,
        textTokens,
        picture: shown,
        rounds: parseCount('--rounds', flags.rounds),
        decodeTokens: parseCount('--decode', flags.decode),
        json,
        ...(layers !== undefined && { layers: parseCount('--layers', layers) }),
        ...(encoderLayers !== undefined && { encoderLayers: parseCount('--encoder-layers', encoderLayers) }),
        ...(tiles !== undefined && { tiles: parseCount('--tiles', tiles) }),
        ...(budgets && { budgets }),
      };
      await measureDims(request, context);
    });
}

/** @throws UsageError unless it is a width and a height in pixels. */
function parsePicture(text: string): readonly [width: number, height: number] {
  const found = /^(\d+)x(\d+)$/.exec(text);
  if (found !== null) return [Number(found[1]), Number(found[2])];
  throw new UsageError(`--picture: got '${text}'; expected a width and a height in pixels, e.g. 896x672`);
}
