// How a verification is reported: lines for the terminal, and one HTML page without scripts or network access.

import { imageGrids, type TokenGrid, tilingOf, tokenMarks } from '@mmtok/core/internal';
import { type Html, htmlPage, htmlTable } from '@mmtok/eval/internal';
import type { CheckName, CheckStatus, VerifiedImage, VerifyReport } from '@mmtok/transformers/verify';
import { html, raw } from 'hono/html';
import type { Colors } from '../terminal/io.js';
import { formatBytes, formatMs, formatShare, renderTable, wrapColumns } from '../terminal/text.js';

/** Titles of the checks. */
const CHECK_TITLES: Readonly<Record<CheckName, string>> = {
  keepAll: 'keeping all tokens changes nothing',
  shortenedPrompt: 'same answer as the unmodified library on the shortened prompt',
  tap: 'features from before the projector',
  tapOutput: 'exposing them does not change the encoder',
  text: 'the question drives the selection',
  baselines: 'differs from random and from text alone',
};

const MARKS: Readonly<Record<CheckStatus, string>> = { pass: '✓', warn: '!', fail: '✗', skipped: '–' };

/** The table of times as text. */
function timingCells(report: VerifyReport): { readonly head: string[]; readonly rows: string[][] } {
  const hasMemory = report.timings.some(({ peakBytes }) => peakBytes !== undefined);
  const head = [
    'keep',
    'tokens',
    'prompt',
    'image',
    'encode',
    'select',
    'prefill',
    'decode',
    'total ms',
    'speedup',
  ];
  if (hasMemory) head.push('memory');
  const rows = report.timings
    .toReversed()
    .map((row) => [
      keepInWords(row.keep),
      String(row.keptTokens),
      String(row.promptTokens),
      formatMs(row.processMs),
      formatMs(row.encodeMs),
      formatMs(row.selectMs),
      formatMs(row.prefillMs),
      formatMs(row.decodeMs),
      formatMs(row.totalMs),
      `${row.speedup.toFixed(2)}×`,
      ...(hasMemory ? [row.peakBytes === undefined ? '' : formatBytes(row.peakBytes)] : []),
    ]);
  return { head, rows };
}

/** A share of vision tokens as text. */
function keepInWords(keep: number): string {
  if (keep === 0) return 'one token';
  return keep >= 1 ? 'all' : formatShare(keep).replace('.0', '');
}

/** The report as lines. */
export function verifyLines(report: VerifyReport, width: number, colors: Colors): string[] {
  const { model, checks, timings, images, advice } = report;
  const paint: Readonly<Record<CheckStatus, (text: string) => string>> = {
    pass: colors.green,
    warn: colors.yellow,
    fail: colors.red,
    skipped: colors.dim,
  };
  const lines = [`${colors.bold(model.source)}: ${model.family}, ${sessionsInWords(report)}`, ''];
  for (const { name, status, detail } of checks) {
    lines.push(`${paint[status](MARKS[status])} ${CHECK_TITLES[name]}`);
    for (const line of wrapColumns(detail, width - 4)) lines.push(`    ${colors.dim(line)}`);
  }
  if (timings.length > 0) {
    const { head, rows } = timingCells(report);
    const columns = head.map((title, at) => ({ title, align: at === 0 ? 'left' : 'right' }) as const);
    lines.push('', colors.bold(TIMES_TITLE), ...renderTable(columns, rows, width));
  }
  const answers = images.flatMap(({ name, answers: own }) =>
    own.map(({ keep, keptTokens, text, sameAsAll }) => [
      keep >= 1 ? name : '',
      keepInWords(keep),
      String(keptTokens),
      text.replaceAll('\n', ' '),
      sameAsAll ? '' : 'changed',
    ]),
  );
  lines.push(
    '',
    colors.bold('Answers'),
    ...renderTable(
      [
        { title: 'image' },
        { title: 'keep' },
        { title: 'tokens', align: 'right' },
        { title: 'answer', flexible: true },
        { title: '' },
      ],
      answers,
      width,
    ),
    '',
  );
  for (const one of advice) lines.push(...wrapColumns(one, width));
  const hasDoubts = checks.some(({ status }) => status === 'warn');
  const verdict = hasDoubts
    ? 'No check failed; look at the checks marked with !.'
    : 'Pruning is correct on this model.';
  lines.push('', report.passed ? colors.green(verdict) : colors.red('A check failed.'));
  return lines;
}

/** The title of the table of times. */
const TIMES_TITLE = 'Times from pixels to the end of the answer, in ms';

/** Precision and device of the sessions, without repeats. */
function sessionsInWords({ model: { sessions, library } }: VerifyReport): string {
  const kinds = Object.values(sessions).map(({ dtype, device }) =>
    [dtype, device].filter(Boolean).join(' on '),
  );
  const used = [...new Set(kinds)].filter((kind) => kind !== '');
  return [used.join(', '), library].filter((part) => part !== '').join('; ');
}

/** What the page shows. */
interface PageContent {
  readonly mmtok: string;
  readonly machine: string;
  readonly report: VerifyReport;
}

/** Rules for this page only. */
const STYLE = `
td.text, th.text { text-align: left; white-space: normal; overflow-wrap: break-word; }
figure svg { max-width: 100%; height: auto; }
h1 { overflow-wrap: anywhere; }
ul.checks { list-style: none; padding: 0; } .checks li { margin: .5rem 0; padding-left: .8rem; border-left: 4px solid var(--faint); }
.checks .pass { border-color: var(--good); } .checks .warn { border-color: #c98a00; } .checks .fail { border-color: var(--bad); }
.status { font-weight: 600; } .detail { color: var(--faint); overflow-wrap: anywhere; }
figure { display: inline-block; vertical-align: top; max-width: 100%; overflow-x: auto; margin: 0 1.5rem 1.5rem 0; } figcaption { max-width: 20rem; color: var(--faint); }
code { background: var(--card); padding: 0 .25em; }
`;

const STATUS_WORDS: Readonly<Record<CheckStatus, string>> = {
  pass: 'passed',
  warn: 'check this',
  fail: 'failed',
  skipped: 'not checked',
};

/** The whole page. */
export async function verifyPage({ mmtok, machine, report }: PageContent): Promise<string> {
  const { model, checks, images, advice, limit, memory } = report;
  const title = `${report.passed ? 'Verified' : 'Failed'}: ${model.source}`;
  const facts: (readonly [string, string])[] = [
    ['Model', `${model.source} (${model.family}, ${model.modelType})`],
    ['Sessions', sessionsInWords(report)],
    ['Positions', model.positions],
    ['Features', model.visionFeatureSource],
    ['Machine', machine],
    ['mmtok', mmtok],
  ];
  if (memory) facts.push(['Memory', `peak ${formatBytes(memory.peakBytes)}`]);
  if (limit) {
    const fixed = formatShare(limit.fixedShare);
    facts.push([
      'Limit',
      `${limit.measured.toFixed(2)}× at most, as measured; image processing and the encoder take ${fixed} of an unpruned call`,
    ]);
  }
  const body = html`<h1>${title}</h1>
<dl>
${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
</dl>
<h2>Checks</h2>
<ul class="checks">
${checks.map(
  ({ name, status, detail }) =>
    html`<li class="${status}"><span class="status">${STATUS_WORDS[status]}:</span> ${CHECK_TITLES[name]}<div class="detail">${detail}</div></li>`,
)}
</ul>
${advice.map((one) => html`<p>${one}</p>`)}
${timesAsHtml(report)}
<h2>Images</h2>
${images.map(imageAsHtml)}`;
  return String(await htmlPage(title, body, STYLE));
}

function timesAsHtml(report: VerifyReport): Html | '' {
  if (report.timings.length === 0) return '';
  return html`<h2>${TIMES_TITLE}</h2>\n${htmlTable(timingCells(report))}`;
}

function imageAsHtml(image: VerifiedImage): Html {
  const { name, question, text, answers, overlap } = image;
  const tokens = (text?.tokens ?? []).map((token) => html`<code>${token}</code> `);
  const byText =
    overlap.textOnly === undefined ? '' : `, text coverage alone ${formatShare(overlap.textOnly)}`;
  const rows = answers.map(
    ({ keep, keptTokens, text: answer, sameAsAll }) =>
      html`<tr><td>${keepInWords(keep)}</td><td>${keptTokens}</td><td class="text">${answer}</td><td class="text">${sameAsAll ? '' : 'changed'}</td></tr>`,
  );
  return html`<section><h3>${name}: ${question}</h3>
<figure>${overlay(image)}<figcaption>${image.keptTokens} of ${image.visionTokens} vision tokens kept, drawn over the whole image (a processor that crops shows less of it). A random selection shares ${formatShare(overlap.random)} of them${byText}.</figcaption></figure>
<figure><table><thead><tr><th>keep</th><th>tokens</th><th class="text">answer</th><th></th></tr></thead><tbody>${rows}</tbody></table>
<figcaption>Text that drives the selection: ${tokens.length === 0 ? 'none' : tokens}</figcaption></figure></section>`;
}

const SIDE = 320;
const TILE_SIDE = 64;

/** The image with its kept tokens; a tiled image as a whole, then its overview, or its tiles in gray if their places are unknown. */
function overlay({ preview, width, height, tiles, name }: VerifiedImage): Html {
  const scale = SIDE / Math.max(width, height);
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  const over = (grid?: TokenGrid): Html =>
    html`<svg width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="${`kept tokens of ${name}`}"><image href="${preview}" width="${w}" height="${h}" preserveAspectRatio="none"/>${grid ? raw(tokenMarks(grid, w, h)) : ''}</svg>`;
  const tiling = tilingOf(tiles);
  if (tiling !== undefined)
    return html`${imageGrids(tiling, indicesOf(tiles)).map((grid) => html`${over(grid)} `)}`;
  const small = tiles
    .slice(0, -1)
    .flatMap(gridOf)
    .map(
      (grid) =>
        html` <svg width="${TILE_SIDE}" height="${TILE_SIDE}" viewBox="0 0 ${TILE_SIDE} ${TILE_SIDE}"><rect width="${TILE_SIDE}" height="${TILE_SIDE}" fill="#c9ccd1"/>${raw(tokenMarks(grid, TILE_SIDE, TILE_SIDE))}</svg>`,
    );
  return html`${over(tiles.slice(-1).flatMap(gridOf)[0])}${small.length === 0 ? '' : html`<div>${small}</div>`}`;
}

type Tile = VerifiedImage['tiles'][number];

/** The tokens of a tile; nothing if they form no grid. */
function gridOf({ grid, indices }: Tile): TokenGrid[] {
  return grid === undefined ? [] : [{ rows: grid[0], columns: grid[1], kept: indices }];
}

/** The kept tokens of an image. */
function indicesOf(tiles: readonly Tile[]): number[] {
  let start = 0;
  return tiles.flatMap(({ indices, visionTokens }) => {
    const own = indices.map((index) => start + index);
    start += visionTokens;
    return own;
  });
}
