// A table of the page.

import { escapeHtml } from '@mmtok/core/internal';
import type { Cell, Table } from './tables.js';

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
