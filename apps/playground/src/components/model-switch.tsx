// The embedded models, side by side: one that sees an image whole, and one that cuts it into tiles.

import type { JSX } from 'preact';
import { chooseModel } from '../state/page.js';
import { model } from '../state/store.js';
import { Segments } from './parts.js';

const ABOUT = {
  base: 'One grid of 576 tokens. Keeping fewer makes the language model faster.',
  tiled:
    '16 tiles and an overview, 16 tokens each. Tiles that the question does not need are not even encoded.',
} as const;

/** The switch. No model is checked while one from the Hub is in use. */
export function ModelSwitch(): JSX.Element {
  const current = model.value;
  const size = current.kind === 'embedded' ? current.size : undefined;
  return (
    <div class="model-switch">
      <Segments
        name="embedded"
        legend="Embedded model"
        value={size}
        options={[
          { value: 'base', label: 'Shapes' },
          { value: 'tiled', label: 'Signs, in tiles' },
        ]}
        onChoose={(next) => void chooseModel({ kind: 'embedded', size: next })}
      />
      <p class="hint">{size === undefined ? 'A model from the Hugging Face Hub is in use.' : ABOUT[size]}</p>
    </div>
  );
}
