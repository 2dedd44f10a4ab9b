// Prints the accuracy of both models on the held-out questions, per kind, with all vision tokens; beside it that of the base
// model when every question gets another scene's image, which is what guessing is worth. No pruning is measured here.
// It reads the built package. `--limit 180` asks some of the questions; `--write` puts the table into README.md.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { evaluate, heldOut, loadTinyVlm } from '../dist/node.js';

const tableInReadme = /(<!-- accuracy:start -->\n)[\s\S]*(<!-- accuracy:end -->)/;

const { values } = parseArgs({ options: { limit: { type: 'string' }, write: { type: 'boolean' } } });
const questions = await heldOut({ limit: values.limit === undefined ? undefined : Number(values.limit) });

const base = await measure('base', questions);
const small = await measure('small', questions);
const guessing = await measure('base', withOtherImages(questions));

const table = formatTable(base.report, small.report, guessing.report);
console.log(table);
for (const [size, { ms }] of Object.entries({ base, small })) {
  console.log(`${size}: ${ms.toFixed(0)} ms per question, reading and resizing the image included`);
}

if (values.write) {
  const readme = new URL('../README.md', import.meta.url);
  const text = await readFile(readme, 'utf8');
  if (!tableInReadme.test(text)) {
    throw new Error(
      'README.md lacks the lines <!-- accuracy:start --> and <!-- accuracy:end -->; put them back.',
    );
  }
  await writeFile(readme, text.replace(tableInReadme, `$1${table}$2`));
}

/**
 * One model's answers, and how long one takes.
 * @param {import('../dist/node.js').ModelSize} size
 * @param {import('../dist/node.js').VisualQuestion[]} asked
 */
async function measure(size, asked) {
  const { ask, model } = await loadTinyVlm({ size });
  const start = performance.now();
  const report = await evaluate({ answer: ask, questions: asked });
  const ms = (performance.now() - start) / asked.length;
  await model.dispose();
  return { report, ms };
}

/**
 * Gives each question the image of the scene seven further on; there are two questions a scene.
 * @param {import('../dist/node.js').VisualQuestion[]} questions
 */
function withOtherImages(questions) {
  return questions.map((question, index) => ({
    ...question,
    image: questions[(index + 14) % questions.length].image,
  }));
}

/**
 * A Markdown table with padded columns.
 * @param {import('../dist/node.js').EvaluationReport} base
 * @param {import('../dist/node.js').EvaluationReport} small
 * @param {import('../dist/node.js').EvaluationReport} guessing
 */
function formatTable(base, small, guessing) {
  const percent = ({ accuracy }) => `${(100 * accuracy).toFixed(1)} %`;
  const row = (kind, pick) => [
    kind,
    String(pick(base).total),
    ...[base, small, guessing].map((report) => percent(pick(report))),
  ];
  const head = ['kind', 'questions', 'base', 'small', 'base with another image'];
  const rows = Object.keys(base.byKind).map((kind) => row(kind, ({ byKind }) => byKind[kind]));
  rows.push(row('**all**', ({ overall }) => overall));

  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column].length)));
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]));
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [head, rule, ...rows].map((cells) => `| ${cells.map(pad).join(' | ')} |\n`).join('');
}
