// Writes the tables of supported models from the families' own files. Markdown only.

import { families, type PrunedFamily } from '../../src/index.js';

const POSITIONS = {
  '1d': '`preserve`; `compact` where the export takes no position ids',
  mrope: '`preserve` on three axes',
  encoder: 'counted by the encoder',
} as const;

const pruned = families.filter((family): family is PrunedFamily => family.status === 'pruned');

function row(...cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The short table of the README. */
export function shortTable(): string {
  return [
    row('Family', '`model_type`', 'Positions', 'Features before the projector', 'Try'),
    row('---', '---', '---', '---', '---'),
    ...pruned.map((family) =>
      row(
        family.name,
        family.modelTypes.map((type) => `\`${type}\``).join(', '),
        POSITIONS[family.positions],
        family.tap === 'projector' ? 'tapped by `loadVlm`' : 'if the export gives them',
        family.checkpoints.map(({ id }) => `\`${id}\``)[0] ?? '',
      ),
    ),
  ].join('\n');
}

/** The page about models. */
export function modelsPage(): string {
  const refused = families.filter((family) => family.status === 'refused');
  return `# Models

Made from the files in \`packages/transformers/src/models/\` by \`test/support-table.test.ts\` (\`vitest run -u\` writes it anew).
Every family below is tested on tiny random models of its exact layout. Checkpoints are ids on the Hugging Face hub with the
numbers of parameters of the original models; the tests download none of them.

${pruned
  .map(
    (family) => `## ${family.name}

- \`model_type\`: ${family.modelTypes.map((type) => `\`${type}\``).join(', ')}; loaded by ${classes(family)}
- Positions: ${POSITIONS[family.positions]}
- Temperature of text coverage: ${family.textTemperature}
- ${family.notes}
- Checkpoints: ${family.checkpoints.map(({ id, size }) => `[\`${id}\`](https://huggingface.co/${id}) (${size})`).join(', ')}
`,
  )
  .join('\n')}
## Not pruned

${refused
  .map((family) =>
    family.status === 'refused'
      ? `- ${family.name} (${family.modelTypes.map((type) => `\`${type}\``).join(', ')}): ${family.reason}.`
      : '',
  )
  .join('\n')}
`;
}

function classes({ className }: PrunedFamily): string {
  const names = typeof className === 'string' ? [className] : Object.values(className);
  return names.map((name) => `\`${name}\``).join(', ');
}
