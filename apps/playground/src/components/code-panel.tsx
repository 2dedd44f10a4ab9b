// Code to copy that does what the page shows.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { snippet } from '../lib/snippet.js';
import {
  announcement,
  device,
  image,
  isTiled,
  kept,
  method,
  model,
  question,
  tiles,
} from '../state/store.js';
import { Panel, Segments } from './parts.js';

/** The panel. */
export function CodePanel(): JSX.Element {
  const where = useSignal<'node' | 'browser'>('node');
  const isCopied = useSignal(false);
  const shown = image.value;
  const text = snippet({
    where: where.value,
    model: model.value,
    device: device.value,
    question: question.value,
    kept: kept.value,
    tiles: isTiled.value ? tiles.value : 'all',
    method: method.value,
    image:
      shown === undefined || shown.isSample ? 'image.png' : shown.name.replaceAll(' ', '-').toLowerCase(),
  });
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(text);
    isCopied.value = true;
    announcement.value = 'The code has been copied.';
    setTimeout(() => {
      isCopied.value = false;
    }, 2000);
  };
  return (
    <Panel
      id="code"
      title="The same in code"
      lead="This question, this budget and this model, in a dozen lines."
      actions={
        <>
          <Segments
            name="where"
            legend="Where the code runs"
            value={where.value}
            options={[
              { value: 'node', label: 'Node' },
              { value: 'browser', label: 'Browser' },
            ]}
            onChoose={(next) => {
              where.value = next;
            }}
          />
          <button type="button" onClick={() => void copy()}>
            {isCopied.value ? 'Copied' : 'Copy'}
          </button>
        </>
      }
    >
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: wide code is scrolled with the keyboard */}
      <section class="code" tabIndex={0} aria-label="Code">
        <pre>
          <code>{text}</code>
        </pre>
      </section>
    </Panel>
  );
}
