// Generates the tables of supported models from the families.

import { families, type PrunedFamily } from '../../src/index.js';

const POSITIONS = {
  '1d': '`preserve`; `compact` if the export takes no position ids',
  mrope: '`preserve` on three axes',
  encoder: 'counted by the encoder',
} as const;

const positionsOf = ({ positions, packing }: PrunedFamily): string =>
  packing === undefined ? POSITIONS[positions] : '`compact`';

const pruned = families.filter((family): family is PrunedFamily => family.status === 'pruned');

/** A Markdown table with aligned columns, as the formatter writes it. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[], fill: string): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] as number, fill)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [
    line(head, ' '),
    line(
      head.map(() => ''),
      '-',
    ),
    ...body.map((row) => line(row, ' ')),
  ].join('\n');
}

/** The short table of the README. */
export function shortTable(): string {
  return table([
    ['Family', '`model_type`', 'Positions', 'Features before the projector', 'Try'],
    ...pruned.map((family) => [
      family.name,
      family.modelTypes.map((type) => `\`${type}\``).join(', '),
      positionsOf(family),
      family.tap === 'projector' ? 'tapped by `loadVlm`' : 'if the export outputs them',
      family.checkpoints[0] === undefined ? 'your own export' : `\`${family.checkpoints[0].id}\``,
    ]),
  ]);
}

/** The page about models. */
export function modelsPage(): string {
  const unsupported = families.filter((family) => family.status === 'unsupported');
  return `# Models

Generated from \`packages/transformers/src/families\` by \`test/support-table.test.ts\` (\`vitest run -u\` updates it).
Every family below is tested on tiny random models of its exact layout. Checkpoints are ids on the Hugging Face hub, with the rounded
parameter counts of the original models. Neither was checked against the hub, and the tests download nothing.

${pruned
  .map(
    (family) => `## ${family.name}

- \`model_type\`: ${family.modelTypes.map((type) => `\`${type}\``).join(', ')}; loaded by ${classes(family)}
- Positions: ${positionsOf(family)}
- Temperature of text coverage: ${family.textTemperature}
- ${family.notes}
- ${checkpoints(family)}
`,
  )
  .join('\n')}
## Not pruned

${unsupported
  .map((family) =>
    family.status === 'unsupported'
      ? `- ${family.name} (${family.modelTypes.map((type) => `\`${type}\``).join(', ')}): ${family.reason}.`
      : '',
  )
  .join('\n')}
`;
}

function checkpoints({ checkpoints }: PrunedFamily): string {
  if (checkpoints.length === 0) return 'Checkpoints: none is published for transformers.js';
  const links = checkpoints.map(({ id, size }) => `[\`${id}\`](https://huggingface.co/${id}) (${size})`);
  return `Checkpoints: ${links.join(', ')}`;
}

function classes({ className }: PrunedFamily): string {
  const names = typeof className === 'string' ? [className] : Object.values(className);
  return names.map((name) => `\`${name}\``).join(', ');
}
