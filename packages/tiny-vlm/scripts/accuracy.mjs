// Prints the accuracy of the models on their held-out questions by kind, with all vision tokens. Another column has the accuracy of base
// and tiled if every question gets another scene's image: the score of guessing. Needs the built package. `--limit 180` asks some of
// the questions; `--only tiled` (or `flat`, the other two) measures some of the models; `--write` writes the tables to README.md.
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { evaluate, heldOut, loadTinyVlm } from '../dist/node.js';

const { values } = parseArgs({
  options: { limit: { type: 'string' }, only: { type: 'string' }, write: { type: 'boolean' } },
});
const limit = values.limit === undefined ? undefined : Number(values.limit);

/** The tables by the name of their markers in README.md: columns, each a model and whether it gets other images. */
const tables = {
  flat: { name: 'accuracy', columns: [['base'], ['small'], ['base', 'with another image']] },
  tiled: { name: 'accuracy-tiled', columns: [['tiled'], ['tiled', 'with another image']] },
};

for (const [set, { name, columns }] of Object.entries(tables)) {
  if (values.only !== undefined && values.only !== set) continue;
  const questions = await heldOut({ size: columns[0][0], limit });
  const measured = [];
  for (const [size, other] of columns) {
    const { report, ms } = await measure(size, other ? withOtherImages(questions) : questions);
    measured.push({ head: other ? `${size} ${other}` : size, report });
    console.log(`${size}: ${ms.toFixed(0)} ms per question, reading and resizing the image included`);
  }
  const table = formatTable(measured);
  console.log(table);
  if (values.write) await writeTable(name, table);
}

/**
 * @param {string} name
 * @param {string} table
 */
async function writeTable(name, table) {
  const readme = new URL('../README.md', import.meta.url);
  const text = await readFile(readme, 'utf8');
  const [start, end] = [`<!-- ${name}:start -->`, `<!-- ${name}:end -->`];
  const place = new RegExp(`(${start}\\n)[\\s\\S]*(${end})`);
  if (!place.test(text)) throw new Error(`README.md lacks the lines ${start} and ${end}; put them back.`);
  await writeFile(readme, text.replace(place, `$1${table}$2`));
}

/**
 * One model's accuracy, and the time per question.
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
 * Gives each question the image of the scene seven further on; there are two questions per scene.
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
 * @param {{ head: string, report: import('../dist/node.js').EvaluationReport }[]} measured
 */
function formatTable(measured) {
  const [{ report: first }] = measured;
  const percent = ({ accuracy }) => `${(100 * accuracy).toFixed(1)} %`;
  const row = (kind, pick) => [
    kind,
    String(pick(first).total),
    ...measured.map(({ report }) => percent(pick(report))),
  ];
  const head = ['kind', 'questions', ...measured.map((each) => each.head)];
  const rows = Object.keys(first.byKind).map((kind) => row(kind, ({ byKind }) => byKind[kind]));
  rows.push(row('**all**', ({ overall }) => overall));

  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column].length)));
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]));
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [head, rule, ...rows].map((cells) => `| ${cells.map(pad).join(' | ')} |\n`).join('');
}
