// Where the model runs, and how long each phase takes, measured over repeats.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { count, duration } from '../lib/format.js';
import type { Device, Phases } from '../lib/types.js';
import { measureNow, median, REPEATS } from '../state/answering.js';
import { chooseDevice } from '../state/page.js';
import {
  analysis,
  comparedTokens,
  device,
  engine,
  isTiled,
  measurement,
  visionTokens,
} from '../state/store.js';
import { placeOf } from './engine-status.js';
import { OriginBadge, Panel, Segments, TableScroll } from './parts.js';

const PHASES: readonly (readonly [keyof Phases, string, string])[] = [
  ['encodeMs', 'Encode', 'the image becomes vision tokens'],
  ['selectMs', 'Select', 'MMTok chooses the tokens to keep'],
  ['prefillMs', 'Prefill', 'the language model reads the prompt'],
  ['decodeMs', 'Decode', 'it writes the answer'],
];

/** Why a device is unavailable; no entry for one that works. */
function useMissing(): Readonly<Partial<Record<Device, string>>> {
  const missing = useSignal<Readonly<Partial<Record<Device, string>>>>({});
  useEffect(() => {
    const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<object | null> } };
    void Promise.resolve(gpu?.requestAdapter())
      .catch(() => null)
      .then((adapter) => {
        missing.value = {
          ...(!crossOriginIsolated && {
            wasm: 'Threads need a cross-origin isolated page. This server does not send the headers for it (COOP and COEP).',
          }),
          ...(!adapter && {
            webgpu:
              gpu === undefined
                ? 'This browser has no WebGPU.'
                : 'This browser has WebGPU, but found no usable adapter.',
          }),
        };
      });
  }, [missing]);
  return missing.value;
}

/** The panel. */
export function RunPanel(): JSX.Element {
  const missing = useMissing();
  const state = engine.value;
  const measured = measurement.value;
  const canMeasure =
    state.phase === 'ready' && analysis.value?.origin === 'measured' && measured?.isRunning !== true;
  const notes = [
    ...new Set([...Object.values(missing), ...(state.phase === 'ready' ? state.facts.notes : [])]),
  ];
  return (
    <Panel
      id="run"
      title="Where it runs"
      lead={
        state.phase === 'ready' ? (
          <>
            {placeOf(state.facts)}, {state.facts.dtype} weights, loaded in {duration(state.facts.loadMs)}{' '}
            <OriginBadge origin="measured" />
          </>
        ) : (
          'The model is not loaded yet.'
        )
      }
      actions={
        <Segments
          name="device"
          legend="Where the model runs"
          value={device.value}
          options={[
            { value: 'wasm-1', label: 'WASM' },
            { value: 'wasm', label: 'WASM threads', disabled: missing.wasm },
            { value: 'webgpu', label: 'WebGPU', disabled: missing.webgpu },
          ]}
          onChoose={chooseDevice}
        />
      }
    >
      {notes.length > 0 && (
        <ul class="notes">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <div class="row">
        <button type="button" disabled={!canMeasure} onClick={() => void measureNow()}>
          {measured?.isRunning === true
            ? `Measuring ${measured.all.length + 1} of ${REPEATS}`
            : `Measure ${REPEATS} times, all against ${count(comparedTokens.value)} tokens`}
        </button>
        <span class="hint">
          The two calls alternate, after one warm-up call each. Fewer tokens shorten prefill and decoding;{' '}
          {isTiled.value ? 'fewer tiles shorten encoding.' : 'encoding takes as long as before.'} The larger
          the language model, the more its prefill matters.
        </span>
      </div>
      {measured !== undefined && measured.all.length > 0 && <Table />}
    </Panel>
  );
}

function Table(): JSX.Element {
  const measured = measurement.value;
  const all = measured?.all ?? [];
  const pruned = measured?.pruned ?? [];
  const totals = (runs: readonly Phases[]): Phases[] =>
    runs.map((run) => ({ ...run, decodeMs: PHASES.reduce((sum, [phase]) => sum + run[phase], 0) }));
  return (
    <TableScroll label="Measured times">
      <table class="measured">
        <caption>
          Median of {all.length} (fastest to slowest) <OriginBadge origin="measured" />
        </caption>
        <thead>
          <tr>
            <th scope="col">Phase</th>
            <th scope="col">All {count(visionTokens.value)} tokens</th>
            <th scope="col">{count(measured?.kept ?? 0)} tokens</th>
          </tr>
        </thead>
        <tbody>
          {PHASES.map(([phase, title, about]) => (
            <tr key={phase}>
              <th scope="row">
                {title} <small>{about}</small>
              </th>
              <Spread runs={all} phase={phase} />
              <Spread runs={pruned} phase={phase} />
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <Spread runs={totals(all)} phase="decodeMs" />
            <Spread runs={totals(pruned)} phase="decodeMs" />
          </tr>
        </tfoot>
      </table>
    </TableScroll>
  );
}

function Spread({ runs, phase }: { runs: readonly Phases[]; phase: keyof Phases }): JSX.Element {
  const values = runs.map((run) => run[phase]);
  return (
    <td>
      {duration(median(runs, phase))}{' '}
      <small>
        {duration(Math.min(...values))} to {duration(Math.max(...values))}
      </small>
    </td>
  );
}
