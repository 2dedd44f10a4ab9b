// The main slider: how many vision tokens are kept.

import { useComputed } from '@preact/signals';
import type { JSX } from 'preact';
import { count, percent } from '../lib/format.js';
import { nearestStop, stopsOf } from '../lib/scale.js';
import { analysis, encodedTokens, kept, ranking, visionTokens } from '../state/store.js';
import { OriginBadge } from './parts.js';
import { TileControl } from './tile-control.js';

/** The slider, and what the kept tokens cover. */
export function KeepSlider(): JSX.Element {
  const stops = useComputed(() => stopsOf(encodedTokens.value));
  const total = visionTokens.value;
  const share = percent(kept.value / total);
  return (
    <div class="keep">
      <label for="kept">
        <span>Kept tokens</span>
        <output for="kept">
          <b>{count(kept.value)}</b> of {count(total)} <i>{share}</i>
        </output>
      </label>
      <input
        id="kept"
        type="range"
        min={0}
        max={stops.value.length - 1}
        step={1}
        value={nearestStop(stops.value, kept.value)}
        aria-valuetext={`${kept.value} of ${total} tokens, ${share}`}
        onInput={(event) => {
          kept.value = stops.value[event.currentTarget.valueAsNumber] ?? total;
        }}
      />
      <Coverage />
      <TileControl />
      {analysis.value && (
        <p class="coverage-origin">
          <OriginBadge origin={analysis.value.origin} />
        </p>
      )}
    </div>
  );
}

/** What a term covers, in words. */
function nameOf(term: string): string {
  if (term === 'text') return 'Question';
  return encodedTokens.value < visionTokens.value ? 'Encoded tiles' : 'Image';
}

/** How much of each term's targets the kept tokens cover. */
function Coverage(): JSX.Element {
  const terms = Object.entries(ranking.value?.coverage ?? {});
  return (
    <dl class="coverage">
      {terms.map(([name, shares]) => {
        const share = kept.value >= encodedTokens.value ? 1 : (shares[kept.value - 1] ?? shares.at(-1) ?? 0);
        return (
          <div key={name}>
            <dt>{nameOf(name)} covered</dt>
            <dd>
              <meter min={0} max={1} value={share} aria-label={`${nameOf(name)} covered`} />
              {percent(share)}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
