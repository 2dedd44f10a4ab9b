// Names, options and help of `mmtok verify`. What it does is in verify.ts.

import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import { TINY } from '../models/load.js';
import { parseDtype } from '../options/parse-dtype.js';
import { parseCount, parseInteger } from '../options.js';
import type { Context } from './context.js';

const EXAMPLES = `
It asks about four drawn pictures and checks: that keeping all tokens changes nothing; that a pruned answer is, token for token,
what the unmodified library gives for the shortened prompt; that the features it compares belong to the tokens; that your
question drives the selection. It measures all, 50, 25 and 10 % of the tokens and a single one. The report is
verify.html, and verify.json, which an issue may have as an attachment.

Examples:
  mmtok verify ${TINY}                                                      offline, in seconds
  mmtok verify HuggingFaceTB/SmolVLM2-256M-Video-Instruct --dtype q4
  mmtok verify ./my-export --out report --repeats 5

Exit codes: 0 no check failed, 1 one did, 2 wrong usage.`;

interface VerifyFlags {
  readonly ratio: string;
  readonly device?: string;
  readonly dtype?: string;
  readonly prompt?: string;
  readonly maxNewTokens?: string;
  readonly repeats?: string;
  readonly out: string;
  readonly json: boolean;
}

/** Adds the command. Its code is loaded when it runs. */
export function addVerify(
  program: Command,
  context: Context,
  { version, exit }: { readonly version: string; readonly exit: (code: number) => void },
): void {
  program
    .command('verify')
    .description(
      'tell whether pruning is right and worth it on a model: your checkpoint, precision and device',
    )
    .argument('<model>', `${TINY} (embedded), a hub id, or a folder`)
    .option('--ratio <share>', 'vision tokens to keep where pruned answers are checked', '25%')
    .option('--device <name>', 'where the model runs: cpu, cuda, webgpu, dml, coreml')
    .option('--dtype <name>', 'precision of the weights: fp32, fp16, q8, q4, …, or part=precision,…')
    .option(
      '--prompt <template>',
      "prompt with <image> and {question}, in place of the model's chat template",
    )
    .option('--max-new-tokens <count>', 'length of the answers (default: 16)')
    .option('--repeats <count>', 'timed calls per row; 0 measures no times (default: 3)')
    .option('--out <folder>', 'folder of verify.html and verify.json', 'mmtok-verify')
    .option('--json', 'print JSON', false)
    .addHelpText('after', EXAMPLES)
    .action(async (model: string, flags: VerifyFlags) => {
      const { ratio, device, dtype, prompt, maxNewTokens, repeats, out, json } = flags;
      const request = {
        model,
        out,
        json,
        version,
        ratio: parseShare(ratio),
        ...(device !== undefined && { device }),
        ...(dtype !== undefined && { dtype: parseDtype(dtype) }),
        ...(prompt !== undefined && { promptTemplate: prompt.replaceAll('\\n', '\n') }),
        ...(maxNewTokens !== undefined && { newTokens: parseCount('--max-new-tokens', maxNewTokens) }),
        ...(repeats !== undefined && { repeats: parseInteger('--repeats', repeats) }),
      };
      const { verify } = await import('./verify.js');
      exit(await verify(request, context));
    });
}

function parseShare(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text.trim())?.[1];
  const share = Number(percent) / 100;
  if (percent !== undefined && share > 0 && share < 1) return share;
  throw new UsageError(`--ratio: got '${text}', expected a percentage between 0 and 100 such as 25%`);
}
