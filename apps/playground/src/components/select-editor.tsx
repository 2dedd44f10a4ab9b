// A small editor for the user's own `select`.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { code, engine, isTiled } from '../state/store.js';

const ON_A_GRID = `// Keep the patches nearest the center.
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

const ON_TILES = `// Keep the overview, then the same number of patches of every encoded tile.
// features: vision [n, D], visionFeatures [n, d], text [m, D], tiles
// request:  tokens (how many to keep), excluded, question
export default function select({ tiles }, { tokens }) {
  const turns = tiles.flatMap(({ start, visionTokens, imagePart }) =>
    Array.from({ length: visionTokens }, (_, i) => ({
      token: start + i,
      turn: imagePart === 'overview' ? -1 : i,
    })));
  return turns
    .sort((a, b) => a.turn - b.turn)
    .slice(0, tokens)
    .map(({ token }) => token);
}
`;

/** The editor, collapsed at first. */
export function SelectEditor({ onRun }: { onRun: () => void }): JSX.Element {
  const example = isTiled.value ? ON_TILES : ON_A_GRID;
  /** What the user has written; the example until then. */
  const written = useSignal<string | undefined>(code.value || undefined);
  const draft = written.value ?? example;
  const run = (): void => {
    code.value = draft;
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
        value={draft}
        onInput={(event) => {
          written.value = event.currentTarget.value;
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
            written.value = undefined;
          }}
        >
          Restore the example
        </button>
      </div>
    </details>
  );
}
