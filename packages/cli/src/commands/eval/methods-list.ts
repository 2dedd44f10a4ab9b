// `mmtok eval methods`: what can be evaluated, who describes it, and what it needs.

import { builtInMethods, needsInWords } from '@mmtok/eval';
import { print, printJson } from '../../terminal/io.js';
import { type Column, renderTable } from '../../terminal/table.js';
import type { Context } from '../context.js';

const COLUMNS: readonly Column[] = [
  { title: 'name' },
  { title: 'method', flexible: true },
  { title: 'needs', maxWidth: 26 },
  { title: 'source' },
];

/** Prints the built-in methods. */
export function listMethods({ json }: { readonly json: boolean }, { io }: Context): void {
  if (json) {
    printJson(
      io.stdout,
      builtInMethods.map(({ name, title, source, needs, agent }) => ({
        name,
        title,
        source,
        needs,
        ...(agent && { agent }),
      })),
    );
    return;
  }
  const rows = builtInMethods.map(({ name, title, source, needs, agent }) => [
    name,
    title,
    needsInWords({ needs: [...needs, ...(agent === undefined ? [] : [agent])] }),
    source,
  ]);
  for (const line of renderTable(COLUMNS, rows, io.stdout.columns ?? 160)) print(io.stdout, line);
}
