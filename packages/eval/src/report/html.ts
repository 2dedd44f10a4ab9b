// The few pieces of HTML that all parts of the page are made of.

import type { Cell, Table } from './tables.js';

/** Text as it may stand between tags and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A table that scrolls sideways where it is too wide. */
export function htmlTable({ head, rows }: Table): string {
  const cell = (content: string | Cell, at: number): string => {
    const { text, tint } = typeof content === 'string' ? { text: content, tint: undefined } : content;
    if (at === 0) return `<th scope="row">${escapeHtml(text)}</th>`;
    const style =
      tint === undefined ? '' : ` style="--share:${Math.round(Math.min(Math.max(tint, 0), 1) * 100)}%"`;
    return `<td${tint === undefined ? '' : ' class="tint"'}${style}>${escapeHtml(text)}</td>`;
  };
  const titles = head.map((title) => `<th scope="col">${escapeHtml(title)}</th>`).join('');
  const lines = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<div class="scroll"><table><thead><tr>${titles}</tr></thead><tbody>\n${lines}\n</tbody></table></div>`;
}
