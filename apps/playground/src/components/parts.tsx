// Small components that several panels share.

import type { ComponentChildren, JSX } from 'preact';
import type { Problem } from '../lib/types.js';
import type { Origin } from '../state/store.js';

/** Says whether numbers were measured here or computed ahead of time. */
export function OriginBadge({ origin }: { origin: Origin }): JSX.Element {
  const title =
    origin === 'measured'
      ? 'Computed just now, in this browser'
      : 'Computed ahead of time, in Node, with the same code';
  return (
    <span class={`badge badge-${origin}`} title={title}>
      {origin}
    </span>
  );
}

/** What went wrong, and what to do. */
export function ProblemNote({
  problem,
  children,
}: {
  problem: Problem;
  children?: ComponentChildren;
}): JSX.Element {
  return (
    <div class="problem" role="alert">
      <p>
        {problem.message}
        {problem.code !== undefined && <code>{problem.code}</code>}
      </p>
      {children}
    </div>
  );
}

/** A table that scrolls sideways where the page is narrow, with the arrow keys as well. */
export function TableScroll({
  label,
  children,
}: {
  label: string;
  children: ComponentChildren;
}): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table is scrolled with the keyboard
    <section class="table-scroll" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}

/** A section of the page with its heading. */
export function Panel({
  id,
  title,
  lead,
  actions,
  children,
}: {
  id: string;
  title: string;
  lead?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="panel" aria-labelledby={`${id}-title`} data-panel={id}>
      <header class="panel-head">
        <div>
          <h2 id={`${id}-title`}>{title}</h2>
          {lead !== undefined && <p class="lead">{lead}</p>}
        </div>
        {actions !== undefined && <div class="panel-actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** A choice of a few, side by side. */
export function Segments<Value extends string>({
  name,
  legend,
  options,
  value,
  onChoose,
}: {
  name: string;
  legend: string;
  options: readonly {
    readonly value: Value;
    readonly label: string;
    readonly disabled?: string | undefined;
  }[];
  value: Value | undefined;
  onChoose: (value: Value) => void;
}): JSX.Element {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{legend}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          title={option.disabled}
          class={option.disabled === undefined ? '' : 'is-disabled'}
        >
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            disabled={option.disabled !== undefined}
            onChange={() => onChoose(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
