// The overlay as text: every kept patch with its place, in the order of the picks.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { count } from '../lib/format.js';
import { placeOf } from '../lib/layout.js';
import { analysis, keptOrder, layout, ranking } from '../state/store.js';
import { OriginBadge, TableScroll } from './parts.js';

const FIRST = 24;
const TERMS: Readonly<Record<string, string>> = { text: 'question', vision: 'image' };

/** The table, collapsed at first. */
export function TokenTable(): JSX.Element {
  const isWhole = useSignal(false);
  const isOpen = useSignal(false);
  const order = keptOrder.value;
  const shown = isWhole.value ? order : order.slice(0, FIRST);
  const terms = Object.entries(ranking.value?.gains ?? {});
  const tiles = analysis.value?.data.tiles ?? [];
  return (
    <details
      class="token-table"
      data-kept={order.toSorted((a, b) => a - b).join(' ')}
      data-origin={analysis.value?.origin}
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>
        The kept patches as a table {analysis.value && <OriginBadge origin={analysis.value.origin} />}
      </summary>
      {isOpen.value && (
        <>
          <TableScroll label="Kept patches">
            <table>
              <caption class="visually-hidden">Kept patches in the order they were picked</caption>
              <thead>
                <tr>
                  <th scope="col">Pick</th>
                  <th scope="col">Token</th>
                  <th scope="col">Place</th>
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
                    <td>{placeOf(token, tiles, layout.value)}</td>
                    {terms.map(([term, gains]) => (
                      <td key={term}>{(gains[rank] ?? 0).toFixed(4)}</td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </TableScroll>
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
