// Prints the model's accuracy on the held-out questions, per kind, with all vision tokens; beside it the accuracy when
// every question gets another scene's image, which is what guessing is worth. No pruning is measured here.
// It reads the built package. With --write it also puts the table into README.md.
import { readFile, writeFile } from 'node:fs/promises';
import { evaluate, heldOut, loadTinyVlm } from '../dist/index.js';

const tableInReadme = /(<!-- accuracy:start -->\n)[\s\S]*(<!-- accuracy:end -->)/;

const questions = await heldOut();
const { ask } = await loadTinyVlm();

const start = performance.now();
const seeing = await evaluate({ answer: ask, questions });
const msPerQuestion = (performance.now() - start) / questions.length;
const guessing = await evaluate({ answer: ask, questions: withOtherImages(questions) });

const table = formatTable(seeing, guessing);
console.log(table);
console.log(`${msPerQuestion.toFixed(0)} ms per question, reading and resizing the image included`);

if (process.argv.includes('--write')) {
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
 * Gives each question the image of the scene seven further on; there are five questions a scene.
 * @param {import('../dist/index.js').VisualQuestion[]} questions
 */
function withOtherImages(questions) {
  return questions.map((question, index) => ({
    ...question,
    image: questions[(index + 35) % questions.length].image,
  }));
}

/**
 * A Markdown table with padded columns.
 * @param {import('../dist/index.js').EvaluationReport} seeing
 * @param {import('../dist/index.js').EvaluationReport} guessing
 */
function formatTable(seeing, guessing) {
  const percent = (/** @type {number} */ fraction) => `${(100 * fraction).toFixed(1)} %`;
  const row = (kind, { correct, total, accuracy }, guessed) => [
    kind,
    `${correct} / ${total}`,
    percent(accuracy),
    percent(guessed.accuracy),
  ];
  const head = ['kind', 'correct', 'accuracy', 'with another image'];
  const rows = Object.entries(seeing.byKind).map(([kind, accuracy]) =>
    row(kind, accuracy, guessing.byKind[kind]),
  );
  rows.push(row('**all**', seeing.overall, guessing.overall));

  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column].length)));
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]));
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [head, rule, ...rows].map((cells) => `| ${cells.map(pad).join(' | ')} |\n`).join('');
}
