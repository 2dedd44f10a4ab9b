// What is known about the patch in focus: its rank, its gain per term, and what it represents.

import type { JSX } from 'preact';
import { percent, plural } from '../lib/format.js';
import { placeOf, tileOf } from '../lib/layout.js';
import { analysis, kept, keptOrder, layout, owners, patch, ranking, ranks } from '../state/store.js';
import { OriginBadge } from './parts.js';

const TERMS: Readonly<Record<string, string>> = { text: 'question', vision: 'image' };

/** The facts of a patch. */
export function PatchInfo(): JSX.Element {
  const at = patch.value;
  return (
    <div class="patch-info" aria-live="polite" data-patch={at}>
      {at === undefined ? (
        <p class="hint">
          Point at a patch, tap it, or use the arrow keys to see when it was picked and what it represents.
          Point at a word to see the patches it resembles.
        </p>
      ) : (
        <Facts at={at} />
      )}
    </div>
  );
}

function Facts({ at }: { at: number }): JSX.Element {
  const rank = ranks.value[at];
  const tiles = analysis.value?.data.tiles ?? [];
  if (rank === undefined) {
    const worth = tileOf(at, tiles)?.worth;
    return (
      <p>
        <b>{placeOf(at, tiles, layout.value)}</b> in a tile that was not encoded
        {worth !== undefined && `: it is worth ${percent(worth)} of the most useful tile`}
      </p>
    );
  }
  const isKept = rank < kept.value;
  const gains = Object.entries(ranking.value?.gains ?? {});
  return (
    <>
      <p>
        <b>{placeOf(at, tiles, layout.value)}</b>{' '}
        {isKept ? `kept, pick ${rank + 1}` : `not kept, would be pick ${rank + 1}`}{' '}
        {analysis.value && <OriginBadge origin={analysis.value.origin} />}
      </p>
      <dl>
        {gains.map(([term, values]) => (
          <div key={term}>
            <dt>Gain for the {TERMS[term] ?? term}</dt>
            <dd>{(values[rank] ?? 0).toFixed(4)}</dd>
          </div>
        ))}
        <div>
          <dt>Represents</dt>
          <dd>{isKept ? targetsOf(at) : 'nothing, because it is not kept'}</dd>
        </div>
      </dl>
    </>
  );
}

/** The targets that no other kept patch resembles more. */
function targetsOf(at: number): string {
  const known = owners.value;
  if (known === undefined || known.kept.length !== keptOrder.value.length) {
    return 'shown once the model has loaded and the slider stops';
  }
  const patches = known.data.vision.filter((owner) => owner === at).length;
  const words = (analysis.value?.data.words ?? []).filter((_, index) => known.data.words[index] === at);
  const parts = [
    plural(patches, 'patch').replace('patchs', 'patches'),
    ...words.map(({ text }) => `“${text}”`),
  ];
  return parts.join(', ');
}
