// Tables and texts as HTML and as Markdown. Questions, answers and titles come from files and models: the tag `html` escapes every
// value in a template, and the functions for Markdown escape theirs.

import { html, raw } from 'hono/html';
import { markdownTable } from 'markdown-table';
import type { Cell, Table } from './tables.js';

/** Escaped HTML, as the tag `html` returns it. */
export type Html = ReturnType<typeof html>;

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2128; --faint: #57606a; --paper: #fff; --line: #d8dee4; --card: #f6f8fa; --good: #1a7f37; --bad: #cf222e; --tint: 45 160 90; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --faint: #9198a1; --paper: #0d1117; --line: #30363d; --card: #161b22; --good: #3fb950; --bad: #f85149; --tint: 60 180 110; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.4rem; }
p, dl { max-width: 48rem; }
p.note, dl { color: var(--faint); font-size: 0.9rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.1rem 0.8rem; margin: 0.6rem 0; }
dd { margin: 0; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.chart { overflow-x: auto; }
.chart > * { min-width: 32rem; margin: 0; }
.chart svg { --plot-background: var(--paper); background: none; color: var(--ink); max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--paper); }
td.tint { background: rgb(var(--tint) / calc(var(--share) * 0.45)); }
details { margin: 0.5rem 0; }
summary { cursor: pointer; padding: 0.3rem 0; font-weight: 600; }
.example { background: var(--card); border: 1px solid var(--line); border-radius: 0.5rem; padding: 0.8rem; margin: 0.8rem 0; }
.example p { margin: 0 0 0.6rem; }
.views { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: 0.7rem; }
.view { margin: 0; font-size: 0.8rem; line-height: 1.3; }
.image { display: block; width: 100%; background-size: 100% 100%; border-radius: 0.25rem; overflow: hidden; }
/* The overview of an image in tiles is below the image. */
.image + .image { margin-top: 0.3rem; }
.image svg { display: block; width: 100%; height: 100%; }
.right { color: var(--good); } .wrong { color: var(--bad); }
@media print { body { max-width: none; } details { display: block; } }
`;

/**
 * A page that needs no script and no network.
 * @param style rules in addition to those that all pages share.
 */
export const htmlPage = (title: string, body: Html, style = ''): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(STYLE + style)}</style>
</head>
<body>
${body}
</body>
</html>
`;

/** A list of texts. */
export const htmlList = (items: readonly string[]): Html =>
  html`<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;

/** A table that scrolls sideways when it is too wide. */
export function htmlTable({ head, rows }: Table): Html {
  const cell = (content: string | Cell, at: number): Html => {
    const { text, tint } = typeof content === 'string' ? { text: content, tint: undefined } : content;
    if (at === 0) return html`<th scope="row">${text}</th>`;
    if (tint === undefined) return html`<td>${text}</td>`;
    const share = Math.round(Math.min(Math.max(tint, 0), 1) * 100);
    return html`<td class="tint" style="--share:${share}%">${text}</td>`;
  };
  const titles = head.map((title) => html`<th scope="col">${title}</th>`);
  const lines = rows.map((row) => html`<tr>${row.map(cell)}</tr>\n`);
  return html`<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>\n${lines}</tbody></table></div>`;
}

// Markdown.

/** Text as one line of Markdown, for a heading, a list item or a table cell: no markup, no HTML, no line break. */
export function escapeMarkdown(text: string): string {
  return oneLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/[\\`*_[\]|~]/g, '\\$&')
    .replace(/^(\s*)([#+-]|\d+[.)])(?=\s)/, '$1\\$2');
}

/** Text as a Markdown code span. Its fence is longer than any run of backticks in the text. */
export function markdownCode(text: string): string {
  const line = oneLine(text).replaceAll('|', '\\|');
  const longest = (line.match(/`+/g) ?? []).reduce((most, run) => Math.max(most, run.length), 0);
  const fence = '`'.repeat(longest + 1);
  const space = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return fence + space + line + space + fence;
}

/** A table as Markdown: names on the left, numbers on the right. */
export function tableToMarkdown({ head, rows }: Table): string {
  const text = (cell: Table['rows'][number][number]): string =>
    escapeMarkdown(typeof cell === 'string' ? cell : cell.text);
  return markdownTable([head.map(text), ...rows.map((row) => row.map(text))], {
    align: head.map((_, at) => (at === 0 ? 'l' : 'r')),
    // Padding a column to its longest cell makes diffs of reports unreadable.
    alignDelimiters: false,
  });
}

/** A list as Markdown. */
export const listToMarkdown = (items: readonly string[]): string =>
  items.map((item) => `- ${escapeMarkdown(item)}`).join('\n');

function oneLine(text: string): string {
  return text
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .join(' ')
    .trim();
}
