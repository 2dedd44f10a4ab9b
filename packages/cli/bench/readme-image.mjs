// Draws the image at the top of the README: three questions about one image, the vision tokens that were kept for each, and the
// model's answers.
//   node bench/readme-image.mjs [--tokens 16] [--out ../../docs/images/overlay.svg]
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { tokenMarks } from '@mmtok/core/internal';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { createVlm, visionCoverage } from '@mmtok/transformers';

const QUESTIONS = [
  'What shape is the purple object?',
  'Is the yellow cross large or small?',
  'Which color does the circle have?',
];
const SIDE = 280;
const GAP = 20;
/** Height of the text below an image. */
const TEXT = 84;
const FONT = `font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif"`;

const { values } = parseArgs({
  options: {
    tokens: { type: 'string', default: '16' },
    out: { type: 'string', default: new URL('../../../docs/images/overlay.svg', import.meta.url).pathname },
  },
});
const asked = await samples();
const vlm = await createVlm(await loadTinyVlm(), {
  keep: Number(values.tokens),
  coverage: [visionCoverage({ focus: 3 })],
});
const panels = [];
for (const [at, question] of QUESTIONS.entries()) {
  const { image, answer } = asked.find((sample) => sample.question === question);
  const { text, report } = await vlm.ask({ image, question });
  if (text !== answer) throw new Error(`${question} Expected ${answer}, got ${text}: ask something else.`);
  const [{ grid, indices }] = report.images[0].tiles;
  const [rows, columns] = grid;
  const pixels = (await readFile(image)).toString('base64');
  const line = (y, size, color, words) =>
    `<text x="0" y="${SIDE + y}" ${FONT} font-size="${size}" fill="${color}">${words}</text>`;
  panels.push(
    `<g transform="translate(${GAP + at * (SIDE + GAP)} ${GAP})">`,
    `<image href="data:image/png;base64,${pixels}" width="${SIDE}" height="${SIDE}"/>`,
    tokenMarks({ rows, columns, kept: indices }, SIDE, SIDE),
    line(26, 16, '#1f2937', question),
    line(52, 20, '#15803d', text),
    line(74, 13, '#4b5563', `${report.keptTokens} of ${report.visionTokens} vision tokens`),
    '</g>',
  );
}
await vlm.dispose();
const [width, height] = [GAP + QUESTIONS.length * (SIDE + GAP), SIDE + TEXT + 2 * GAP];
await writeFile(
  values.out,
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    '<title>Three questions about one image, the vision tokens that were kept for each, and the answers</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...panels,
    '</svg>\n',
  ].join('\n'),
);
