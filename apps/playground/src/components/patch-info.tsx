// What is known of the patch that is looked at: its rank, its gain by term, what it stands for.

import type { JSX } from 'preact';
import { plural } from '../lib/format.js';
import { analysis, grid, kept, keptOrder, owners, patch, ranking, ranks } from '../state/store.js';

const TERMS: Readonly<Record<string, string>> = { text: 'question', vision: 'picture' };

/** The facts of a patch. */
export function PatchInfo(): JSX.Element {
  const at = patch.value;
  const size = grid.value;
  return (
    <div class="patch-info" aria-live="polite" data-patch={at}>
      {at === undefined || size === undefined ? (
        <p class="hint">
          Point at a patch, tap it, or move with the arrow keys to see when it was picked and what it stands
          for. Point at a word to see the patches it resembles.
        </p>
      ) : (
        <Facts at={at} columns={size[1]} />
      )}
    </div>
  );
}

function Facts({ at, columns }: { at: number; columns: number }): JSX.Element {
  const rank = ranks.value[at] ?? 0;
  const isKept = rank < kept.value;
  const gains = Object.entries(ranking.value?.gains ?? {});
  return (
    <>
      <p>
        <b>
          Row {Math.floor(at / columns) + 1}, column {(at % columns) + 1}
        </b>{' '}
        {isKept ? `picked as number ${rank + 1}` : `not kept: it would be pick ${rank + 1}`}
      </p>
      <dl>
        {gains.map(([term, values]) => (
          <div key={term}>
            <dt>Gain for the {TERMS[term] ?? term}</dt>
            <dd>{(values[rank] ?? 0).toFixed(4)}</dd>
          </div>
        ))}
        <div>
          <dt>Stands for</dt>
          <dd>{isKept ? targetsOf(at) : 'nothing, as it is not kept'}</dd>
        </div>
      </dl>
    </>
  );
}

/** The targets that no other kept patch resembles more. */
function targetsOf(at: number): string {
  const known = owners.value;
  if (known === undefined || known.kept.length !== keptOrder.value.length) {
    return 'told once the model has loaded and the slider rests';
  }
  const patches = known.data.vision.filter((owner) => owner === at).length;
  const words = (analysis.value?.data.words ?? []).filter((_, index) => known.data.words[index] === at);
  const parts = [
    plural(patches, 'patch').replace('patchs', 'patches'),
    ...words.map(({ text }) => `“${text}”`),
  ];
  return parts.join(', ');
}
