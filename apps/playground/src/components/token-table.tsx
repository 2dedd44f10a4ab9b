// The overlay as text: every kept patch with its place, in the order of the picks.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { count } from '../lib/format.js';
import { analysis, grid, keptOrder, ranking } from '../state/store.js';

const FIRST = 24;
const TERMS: Readonly<Record<string, string>> = { text: 'question', vision: 'picture' };

/** The table, folded away until somebody asks for it. */
export function TokenTable(): JSX.Element {
  const isWhole = useSignal(false);
  const isOpen = useSignal(false);
  const order = keptOrder.value;
  const shown = isWhole.value ? order : order.slice(0, FIRST);
  const terms = Object.entries(ranking.value?.gains ?? {});
  const columns = grid.value?.[1];
  return (
    <details
      class="token-table"
      data-kept={order.toSorted((a, b) => a - b).join(' ')}
      data-origin={analysis.value?.origin}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>The kept patches as a table</summary>
      {isOpen.value && (
        <>
          <div class="table-scroll">
            <table>
              <caption class="visually-hidden">Kept patches in the order in which they were picked</caption>
              <thead>
                <tr>
                  <th scope="col">Pick</th>
                  <th scope="col">Token</th>
                  {columns !== undefined && <th scope="col">Row</th>}
                  {columns !== undefined && <th scope="col">Column</th>}
                  {terms.map(([term]) => (
                    <th key={term} scope="col">
                      Gain, {TERMS[term] ?? term}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {shown.map((token, rank) => (
                  <tr key={token}>
                    <th scope="row">{rank + 1}</th>
                    <td>{token}</td>
                    {columns !== undefined && <td>{Math.floor(token / columns) + 1}</td>}
                    {columns !== undefined && <td>{(token % columns) + 1}</td>}
                    {terms.map(([term, gains]) => (
                      <td key={term}>{(gains[rank] ?? 0).toFixed(4)}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {order.length > FIRST && (
            <button
              type="button"
              onClick={() => {
                isWhole.value = !isWhole.value;
              }}
            >
              {isWhole.value ? `Show the first ${FIRST}` : `Show all ${count(order.length)}`}
            </button>
          )}
        </>
      )}
    </details>
  );
}
