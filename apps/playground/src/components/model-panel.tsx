// A real model instead of the embedded ones: any supported model from the Hugging Face Hub.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { chooseModel } from '../state/page.js';
import { engine, model, samplesFor } from '../state/store.js';
import { Panel, ProblemNote } from './parts.js';

/** Models small enough for browsers. The field takes any other that the library supports. */
const SUGGESTED = [
  'HuggingFaceTB/SmolVLM-256M-Instruct',
  'HuggingFaceTB/SmolVLM2-500M-Video-Instruct',
  'onnx-community/LFM2-VL-450M-ONNX',
  'onnx-community/FastVLM-0.5B-ONNX',
  'onnx-community/Qwen3.5-0.8B-ONNX',
  'onnx-community/Florence-2-base-ft',
];
const PRECISIONS = ['q4', 'q4f16', 'q8', 'fp16', 'fp32'];

/** The panel. */
export function ModelPanel(): JSX.Element {
  const current = model.value;
  const id = useSignal(current.kind === 'hub' ? current.id : '');
  const dtype = useSignal(current.kind === 'hub' ? current.dtype : 'q4');
  const state = engine.value;
  const isWrong = id.value !== '' && !/^[\w.-]+\/[\w.-]+$/.test(id.value.trim());
  return (
    <Panel
      id="model"
      title="Use a real model"
      lead="Downloads an ONNX model from the Hugging Face Hub and keeps it in this browser’s cache. Expect a few hundred megabytes or more. Nothing else on this page needs a network."
    >
      <form
        class="model-form"
        onSubmit={(event) => {
          event.preventDefault();
          const name = id.value.trim();
          if (name !== '' && !isWrong) void chooseModel({ kind: 'hub', id: name, dtype: dtype.value });
        }}
      >
        <label for="model-id">Hub id</label>
        <input
          id="model-id"
          type="text"
          list="model-ids"
          placeholder={SUGGESTED[0]}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          value={id.value}
          aria-invalid={isWrong}
          aria-describedby={isWrong ? 'model-id-problem' : undefined}
          onInput={(event) => {
            id.value = event.currentTarget.value;
          }}
        />
        <datalist id="model-ids">
          {SUGGESTED.map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
        {isWrong && (
          <p id="model-id-problem" class="problem">
            A hub id has the form owner/name.
          </p>
        )}
        <label for="model-dtype">Precision</label>
        <select
          id="model-dtype"
          value={dtype.value}
          onChange={(event) => {
            dtype.value = event.currentTarget.value;
          }}
        >
          {PRECISIONS.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <div class="row">
          <button type="submit" class="primary" disabled={id.value.trim() === '' || isWrong}>
            Load it
          </button>
          {current.kind === 'hub' && (
            <button
              type="button"
              onClick={() => void chooseModel({ kind: 'embedded', size: samplesFor.value })}
            >
              Back to the embedded model
            </button>
          )}
        </div>
      </form>
      {current.kind === 'hub' && state.phase === 'failed' && (
        <ProblemNote problem={state.problem}>
          <p>{explanation(state.problem.message)}</p>
        </ProblemNote>
      )}
    </Panel>
  );
}

/** What a failure to load most often means. */
function explanation(message: string): string {
  if (!navigator.onLine) return 'This browser is offline. The embedded model works without a network.';
  if (/fetch|network|load failed/i.test(message)) {
    return 'huggingface.co could not be reached from here. The embedded model works without a network.';
  }
  return 'The embedded model still works.';
}
