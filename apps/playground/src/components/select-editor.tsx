// A small editor for the user's own `select`.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { code, engine } from '../state/store.js';

const EXAMPLE = `// Keep the patches nearest the center.
// features: vision [n, D], visionFeatures [n, d], text [m, D], grid, tiles
// request:  tokens (how many to keep), excluded, question
export default function select({ grid: [rows, columns] }, { tokens }) {
  const distance = (i) =>
    Math.hypot(Math.floor(i / columns) - rows / 2, (i % columns) - columns / 2);
  return Array.from({ length: rows * columns }, (_, i) => i)
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, tokens);
}
`;

/** The editor, collapsed at first. */
export function SelectEditor({ onRun }: { onRun: () => void }): JSX.Element {
  const draft = useSignal(code.value || EXAMPLE);
  const run = (): void => {
    code.value = draft.value;
    onRun();
  };
  return (
    <details class="editor">
      <summary>Write your own</summary>
      <label for="select-code">
        A module that exports a <code>select</code> function, the one that{' '}
        <code>prune(model, {'{ select }'})</code> takes. It runs in a separate worker for at most ten seconds,
        and is never part of the page’s URL.
      </label>
      <textarea
        id="select-code"
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        rows={11}
        value={draft.value}
        onInput={(event) => {
          draft.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) run();
        }}
      />
      <div class="row">
        <button type="button" class="primary" disabled={engine.value.phase !== 'ready'} onClick={run}>
          Run it
        </button>
        <button
          type="button"
          onClick={() => {
            draft.value = EXAMPLE;
          }}
        >
          Restore the example
        </button>
      </div>
    </details>
  );
}
