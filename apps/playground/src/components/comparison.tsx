// Methods side by side at the same budget, including the user's own.

import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { draw } from '../lib/draw.js';
import { count, duration } from '../lib/format.js';
import { cellsOf } from '../lib/layout.js';
import type { MethodName } from '../lib/types.js';
import { compareNow } from '../state/answering.js';
import { answers, code, comparedTokens, comparison, engine, image, layout } from '../state/store.js';
import { OriginBadge, Panel, ProblemNote } from './parts.js';
import { SelectEditor } from './select-editor.js';

const METHODS: readonly { readonly name: MethodName; readonly title: string; readonly about: string }[] = [
  { name: 'mmtok', title: 'MMTok', about: 'covers the question and the image' },
  { name: 'focus', title: 'MMTok with a focus', about: 'covers what matters to the question' },
  { name: 'divprune', title: 'DivPrune', about: 'as different from one another as possible' },
  { name: 'random', title: 'Random', about: 'ignores the image and the question' },
  { name: 'uniform', title: 'Uniform', about: 'spread evenly over the image' },
];

/** The comparison. */
export function Comparison(): JSX.Element {
  const state = comparison.value;
  const tokens = comparedTokens.value;
  const isReady = engine.value.phase === 'ready';
  const hasOwn = code.value.trim() !== '';
  const shown = hasOwn
    ? [...METHODS, { name: 'custom' as const, title: 'Your own', about: 'the code below' }]
    : METHODS;
  const isStale = state !== undefined && state.tokens !== tokens;
  return (
    <Panel
      id="compare"
      title="Methods at the same budget"
      lead={
        state === undefined
          ? 'The same question, answered from the tokens that each method keeps.'
          : `The same question, answered from the ${count(state.tokens)} tokens that each method keeps.`
      }
      actions={
        <>
          {state !== undefined && <OriginBadge origin={state.origin} />}
          <button
            type="button"
            class={isStale || state === undefined ? 'primary' : ''}
            disabled={!isReady || state?.running !== undefined}
            onClick={() => void compareNow(shown.map(({ name }) => name))}
          >
            {isReady ? `Compare at ${count(tokens)} tokens` : 'Available once the model has loaded'}
          </button>
        </>
      }
    >
      <ul class="methods">
        {shown.map((one) => (
          <MethodCard key={one.name} {...one} />
        ))}
      </ul>
      <SelectEditor
        onRun={() => {
          const isKnown = state?.origin === 'measured' && !isStale && state.results.mmtok !== undefined;
          void compareNow(['custom', ...(isKnown ? [] : METHODS.map(({ name }) => name))]);
        }}
      />
    </Panel>
  );
}

function MethodCard({ name, title, about }: (typeof METHODS)[number]): JSX.Element {
  const state = comparison.value;
  const result = state?.results[name];
  const problem = state?.problems[name];
  const { all } = answers.value;
  const expected = all.origin === undefined ? undefined : all.text;
  const isSame =
    result !== undefined && expected !== undefined && result.text.toLowerCase() === expected.toLowerCase();
  return (
    <li class="method" data-method={name} aria-busy={state?.running === name}>
      <Thumbnail indices={result?.indices ?? []} title={title} />
      <h3>{title}</h3>
      <p class="about">{about}</p>
      {problem !== undefined && <ProblemNote problem={problem} />}
      <p
        class={`method-answer ${result === undefined || expected === undefined ? '' : isSame ? 'is-same' : 'is-different'}`}
      >
        {state?.running === name ? '…' : (result?.text ?? ' ')}
        {result !== undefined && expected !== undefined && (
          <span class="visually-hidden">
            {isSame ? ', the same as with all tokens' : ', different from the answer with all tokens'}
          </span>
        )}
      </p>
      <p class="method-time">
        {result !== undefined && state?.origin === 'measured'
          ? `select ${duration(result.phases.selectMs)}`
          : ' '}
      </p>
    </li>
  );
}

/** The image with the patches that a method keeps. */
function Thumbnail({ indices, title }: { indices: readonly number[]; title: string }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const given = useSignal(indices);
  given.value = indices;
  useSignalEffect(() => {
    const bitmap = image.value?.bitmap;
    const context = canvas.current?.getContext('2d');
    if (!bitmap || !context) return;
    const place = layout.value;
    const cells = cellsOf(place, given.value);
    draw(context, {
      bitmap,
      grid: cells.length > 0 ? place?.grid : undefined,
      bright: new Set(cells),
      skipped: place && { tileGrid: place.tileGrid, tiles: place.skippedTiles },
    });
  });
  return (
    <canvas
      ref={canvas}
      width={288}
      height={288}
      role="img"
      aria-label={
        indices.length > 0 ? `${title}: ${count(indices.length)} patches kept` : `${title}: not asked yet`
      }
      class={indices.length > 0 ? '' : 'is-empty'}
    />
  );
}
