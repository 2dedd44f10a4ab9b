// `mmtok doctor`: which engines and devices work here, and how to install the others.

import { isAbsolute } from 'node:path';
import type { Command } from 'commander';
import type { EngineReport, MachineReport } from '../engines/inspect-engines.js';
import { EXIT } from '../errors.js';
import { jsonOption } from '../options.js';
import { type Colors, colorsFor, createStatusLine, type Io, print } from '../terminal/io.js';
import { wrapColumns } from '../terminal/text.js';
import type { Context } from './context.js';

const EXAMPLES = `
Examples:
  mmtok doctor
  mmtok doctor --json`;

/** Adds the command. */
export function addDoctor(program: Command, context: Context, exit: (code: number) => void): void {
  program
    .command('doctor')
    .description('show which engines and devices work here, and how to install the others')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action(async (request: DoctorRequest) => {
      exit(await doctor(request, context));
    });
}

interface DoctorRequest {
  readonly json: boolean;
}

const TITLES: Readonly<Record<EngineReport['target']['engine'], string>> = {
  ort: 'ONNX Runtime: runs models, and selects tokens with --backend ort',
  tfjs: 'TensorFlow.js: selects tokens with --backend tfjs',
};

/**
 * Inspects the machine and prints the result.
 * @returns The exit code: a failure if ONNX Runtime does not work even on the CPU.
 */
async function doctor({ json }: DoctorRequest, { io, services }: Context): Promise<number> {
  const status = createStatusLine(io.stderr);
  status.show('Trying every engine …');
  const report = await services.inspectEngines();
  status.clear();
  if (json) print(io.stdout, JSON.stringify(report, null, 2));
  else printReport(report, io);
  const isUsable = report.engines.some(
    ({ target, result }) => target.engine === 'ort' && target.choice === 'cpu' && result.works,
  );
  return isUsable && report.node.isSupported ? EXIT.ok : EXIT.failure;
}

function printReport({ node, platform, transformers, engines }: MachineReport, { stdout, env }: Io): void {
  const colors = colorsFor(stdout, env);
  const width = Math.min(stdout.columns ?? 100, 120);
  const nodeState = node.isSupported ? colors.green('✓') : colors.red('✗ mmtok needs Node 20.19 or newer');
  print(stdout, `Node ${node.version} on ${platform} ${nodeState}`);
  print(stdout, `transformers.js ${transformers}`);
  for (const [engine, title] of Object.entries(TITLES)) {
    print(stdout);
    print(stdout, colors.bold(title));
    const own = engines.filter(({ target }) => target.engine === engine);
    const shown = new Set<string>();
    for (const report of own) {
      printEngine(report, shown, width, stdout, colors);
      if (!report.result.works) shown.add(report.result.hint);
    }
  }
  print(stdout);
  print(stdout, 'The reference backend (--backend cpu) needs no engine and always works.');
}

/** Prints one engine; hints that were `shown` before are omitted. */
function printEngine(
  { label, result }: EngineReport,
  shown: ReadonlySet<string>,
  width: number,
  stdout: Io['stdout'],
  colors: Colors,
): void {
  const name = label.padEnd(NAME_WIDTH);
  const indent = ' '.repeat(4);
  const printIndented = (text: string): void => {
    const lines = text === '' ? [] : wrapColumns(text, width - indent.length);
    for (const line of lines) print(stdout, indent + colors.dim(line));
  };
  if (result.works) {
    const { module, version, device, listed } = result;
    const isNamed = module === label || isAbsolute(module);
    print(
      stdout,
      `  ${colors.green('✓')} ${name}${isNamed ? '' : `${module} `}${version}, runs on ${device}`,
    );
    if (isAbsolute(module)) print(stdout, indent + colors.dim(module));
    if (listed) printIndented(`lists ${listed.join(', ')}`);
    return;
  }
  print(stdout, `  ${colors.red('✗')} ${name}${result.problem}`);
  if (!shown.has(result.hint)) printIndented(result.hint);
}

const NAME_WIDTH = 27;
