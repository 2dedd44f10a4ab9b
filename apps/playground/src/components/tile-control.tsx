// Which tiles to encode: all, a number of them, or those that the question needs.

import type { JSX } from 'preact';
import { encodedTiles, type TileChoice } from '../lib/tiles.js';
import { analysis, isTiled, tiles } from '../state/store.js';
import { Segments } from './parts.js';

type Kind = 'all' | 'max' | 'worth';

/** What each kind starts with when it is chosen. */
const FIRST: Readonly<Record<Kind, TileChoice>> = { all: 'all', max: { max: 6 }, worth: { worth: 0.2 } };

const kindOf = (choice: TileChoice): Kind => (choice === 'all' ? 'all' : 'max' in choice ? 'max' : 'worth');

/** The control; nothing for a model without tiles. */
export function TileControl(): JSX.Element | null {
  if (!isTiled.value) return null;
  const choice = tiles.value;
  const parts = analysis.value?.data.tiles ?? [];
  const count = parts.length || 17;
  return (
    <div class="tile-control">
      <div class="tile-head">
        <span>
          <b>Encoded tiles</b>{' '}
          {parts.length > 0 && (
            <output>
              <b>{encodedTiles(parts)}</b> of {count}
            </output>
          )}
        </span>
        <Segments
          name="tiles"
          legend="Which tiles to encode"
          value={kindOf(choice)}
          options={[
            { value: 'all', label: 'All' },
            { value: 'max', label: 'A number' },
            { value: 'worth', label: 'By worth' },
          ]}
          onChoose={(kind) => {
            tiles.value = FIRST[kind];
          }}
        />
      </div>
      {choice === 'all' ? (
        <p class="hint">Every tile goes through the vision encoder.</p>
      ) : 'max' in choice ? (
        <Range
          id="tiles-max"
          label={`At most ${choice.max}, including the overview`}
          min={1}
          max={count}
          step={1}
          value={choice.max}
          onChange={(max) => ({ max })}
        />
      ) : (
        <Range
          id="tiles-worth"
          label={`Worth at least ${Math.round(choice.worth * 100)}% of the most useful tile`}
          min={0.05}
          max={1}
          step={0.05}
          value={choice.worth}
          onChange={(worth) => ({ worth: Math.round(worth * 100) / 100 })}
        />
      )}
    </div>
  );
}

function Range({
  id,
  label,
  onChange,
  ...range
}: {
  id: string;
  label: string;
  min: number;
  max: number;
  step: number;
  value: number;
  onChange: (value: number) => TileChoice;
}): JSX.Element {
  return (
    <div class="tile-range">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="range"
        {...range}
        aria-valuetext={label}
        onInput={(event) => {
          tiles.value = onChange(event.currentTarget.valueAsNumber);
        }}
      />
    </div>
  );
}
