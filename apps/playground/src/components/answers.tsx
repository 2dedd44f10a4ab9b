// The two answers side by side: from all tokens, and from the kept ones.

import type { JSX } from 'preact';
import { count, duration } from '../lib/format.js';
import { encodedTiles } from '../lib/tiles.js';
import type { Phases } from '../lib/types.js';
import {
  type AnswerState,
  analysis,
  analysisProblem,
  answers,
  engine,
  keepsAll,
  kept,
  visionTokens,
} from '../state/store.js';
import { OriginBadge, ProblemNote } from './parts.js';

/** Answers of more characters than this are prose. */
const LONG = 48;

/** Both answers, and whether they agree. */
export function Answers(): JSX.Element {
  const { all, kept: pruned } = answers.value;
  const isSettled = all.origin !== undefined && pruned.origin !== undefined && pruned.isStale !== true;
  const agrees = isSettled && all.text.toLowerCase() === pruned.text.toLowerCase();
  const failure = engine.value.phase === 'failed' ? engine.value.problem : analysisProblem.value;
  return (
    <div class="answers-block">
      {failure !== undefined && <ProblemNote problem={failure} />}
      <div class="answers">
        <Answer which="all" state={all} tokens={visionTokens.value} title="All tokens" />
        <Answer
          which="kept"
          state={pruned}
          tokens={kept.value}
          title={keepsAll.value ? 'Kept tokens (all)' : 'Kept tokens'}
        />
      </div>
      <p class={`verdict ${isSettled ? (agrees ? 'is-same' : 'is-different') : ''}`} aria-live="polite">
        {isSettled
          ? agrees
            ? `The same answer from ${count(kept.value)} of ${count(visionTokens.value)} tokens${tilesInWords()}.`
            : all.text.length > LONG
              ? 'The wording differs. Compare the two answers.'
              : 'The answers differ: at this budget, something that the question needs is missing.'
          : ' '}
      </p>
    </div>
  );
}

/** How many tiles were encoded; nothing where all were. */
function tilesInWords(): string {
  const tiles = analysis.value?.data.tiles ?? [];
  const encoded = encodedTiles(tiles);
  return encoded === tiles.length ? '' : ` and ${encoded} of ${tiles.length} tiles`;
}

function Answer({
  which,
  state,
  tokens,
  title,
}: {
  which: 'all' | 'kept';
  state: AnswerState;
  tokens: number;
  title: string;
}): JSX.Element {
  const isWaiting = state.origin === undefined && !state.isRunning && state.problem === undefined;
  return (
    <article
      class={`answer answer-${which} ${state.isStale === true ? 'is-stale' : ''}`}
      data-answer={which}
      aria-busy={state.isRunning || state.isStale === true}
    >
      <header>
        <h2>{title}</h2>
        <span>{count(tokens)}</span>
      </header>
      {state.problem === undefined ? (
        <p class={`answer-text ${state.text.length > LONG ? 'is-long' : ''}`}>
          {state.text}
          {state.isRunning && <span class="caret" aria-hidden="true" />}
          {isWaiting && (
            <span class="waiting">{engine.value.phase === 'loading' ? 'waiting for the model' : ' '}</span>
          )}
        </p>
      ) : (
        <ProblemNote problem={state.problem} />
      )}
      <footer>
        {state.origin !== undefined && <OriginBadge origin={state.origin} />}
        {state.phases !== undefined && <Times phases={state.phases} />}
      </footer>
    </article>
  );
}

const PHASES = [
  ['encodeMs', 'encode'],
  ['selectMs', 'select'],
  ['prefillMs', 'prefill'],
  ['decodeMs', 'decode'],
] as const;

/** Where the time of one call went. */
function Times({ phases }: { phases: Phases }): JSX.Element {
  const total = PHASES.reduce((sum, [phase]) => sum + phases[phase], 0);
  return (
    <div class="times">
      <p>
        <b>{duration(total)}</b> from pixels to the answer
      </p>
      <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        {PHASES.map(([phase], at) => {
          const before = PHASES.slice(0, at).reduce((sum, [other]) => sum + phases[other], 0);
          return (
            <rect
              key={phase}
              class={`phase-${phase}`}
              x={(before / total) * 100}
              width={(phases[phase] / total) * 100}
              height="4"
            />
          );
        })}
      </svg>
      <dl>
        {PHASES.map(([phase, label]) => (
          <div key={phase}>
            <dt class={`phase-${phase}`}>{label}</dt>
            <dd>{duration(phases[phase])}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
