// The question: free text, suggestions, the method, and the words that guide it.

import { useSignal, useSignalEffect } from '@preact/signals';
import type { JSX } from 'preact';
import type { RankingMethod } from '../lib/types.js';
import { sampleQuestions } from '../state/examples.js';
import { askQuestion } from '../state/page.js';
import { analysis, example, image, method, model, question, word } from '../state/store.js';
import { Segments } from './parts.js';

const GENERAL = ['Describe the image.', 'What color is the background?', 'What is in this image?'];

const METHODS: readonly { readonly value: RankingMethod; readonly label: string }[] = [
  { value: 'mmtok', label: 'MMTok' },
  { value: 'focus', label: 'with a focus' },
];

/** The question and what belongs to it. */
export function QuestionPanel(): JSX.Element {
  const draft = useSignal(question.value);
  const suggestions = useSignal<readonly string[]>([]);
  useSignalEffect(() => {
    draft.value = question.value;
  });
  useSignalEffect(() => {
    const shown = image.value;
    if (shown === undefined) return;
    if (!shown.isSample) suggestions.value = GENERAL;
    else {
      const first = example.value?.image === shown.key ? [example.value.question] : [];
      void sampleQuestions(shown.key).then((all) => {
        suggestions.value = [...new Set([...first, ...all])].slice(0, 5);
      });
    }
  });
  return (
    <div class="question">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const text = draft.value.trim();
          if (text !== '') askQuestion(text);
        }}
      >
        <label for="question">Question</label>
        <div class="field">
          <input
            id="question"
            type="text"
            value={draft.value}
            autocomplete="off"
            maxLength={500}
            enterkeyhint="send"
            onInput={(event) => {
              draft.value = event.currentTarget.value;
            }}
          />
          <button type="submit" class="primary">
            Ask
          </button>
        </div>
      </form>
      <ul class="suggestions" aria-label="Suggested questions">
        {suggestions.value.map((text) => (
          <li key={text}>
            <button type="button" aria-pressed={text === question.value} onClick={() => askQuestion(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
      {model.value.kind === 'embedded' && image.value?.isSample === false && (
        <p class="hint">
          The embedded models know only drawn shapes and signs. For photos, load a real model below.
        </p>
      )}
      <div class="method-row">
        <Words />
        <Segments
          name="method"
          legend="Selection method"
          options={METHODS}
          value={method.value}
          onChoose={(next) => {
            method.value = next;
          }}
        />
      </div>
    </div>
  );
}

/** The question's words as the method reads them. */
function Words(): JSX.Element {
  const words = analysis.value?.data.words ?? [];
  return (
    <fieldset class="words">
      <legend class="visually-hidden">
        Words that guide the selection: hover over one or press it to see the patches it resembles
      </legend>
      <span aria-hidden="true">Words that guide the selection</span>
      {words.map(({ text }, at) => (
        <button
          key={at}
          type="button"
          aria-pressed={word.value === at}
          onPointerEnter={(event) => {
            if (event.pointerType === 'mouse') word.value = at;
          }}
          onPointerLeave={(event) => {
            if (event.pointerType === 'mouse') word.value = undefined;
          }}
          onClick={(event) => {
            if (event.detail === 0 || !matchMedia('(hover: hover)').matches) {
              word.value = word.value === at ? undefined : at;
            }
          }}
        >
          {text}
        </button>
      ))}
    </fieldset>
  );
}
