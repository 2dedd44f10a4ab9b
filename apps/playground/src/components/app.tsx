// The page as a whole.

import type { JSX } from 'preact';
import { announcement } from '../state/store.js';
import { About } from './about.js';
import { Answers } from './answers.js';
import { CodePanel } from './code-panel.js';
import { Comparison } from './comparison.js';
import { EngineStatus } from './engine-status.js';
import { ImageSource } from './image-source.js';
import { ImageView } from './image-view.js';
import { KeepSlider } from './keep-slider.js';
import { ModelPanel } from './model-panel.js';
import { ModelSwitch } from './model-switch.js';
import { PatchInfo } from './patch-info.js';
import { QuestionPanel } from './question-panel.js';
import { RunPanel } from './run-panel.js';
import { TokenTable } from './token-table.js';

/** The page. */
export function App(): JSX.Element {
  return (
    <>
      <header class="masthead">
        <div class="brand">
          <img src="./icon.svg" alt="" width="28" height="28" />
          <strong>MMTok</strong>
          <span>playground</span>
        </div>
        <EngineStatus />
      </header>
      <main>
        <div class="intro">
          <h1>Fewer vision tokens, the same answer.</h1>
          <p>
            A vision-language model cuts an image into patches and reads every one of them. MMTok keeps the
            few that together cover the question and the image. Move the slider to see which ones stay.
          </p>
        </div>
        <ModelSwitch />
        <div class="stage">
          <section class="stage-image" aria-label="Image">
            <ImageView />
            <KeepSlider />
          </section>
          <section class="stage-answers" aria-label="Question and answers">
            <QuestionPanel />
            <Answers />
            <PatchInfo />
            <TokenTable />
          </section>
          <section class="stage-source" aria-label="Another image">
            <ImageSource />
          </section>
        </div>
        <Comparison />
        <RunPanel />
        <div class="columns">
          <ModelPanel />
          <CodePanel />
        </div>
        <About />
      </main>
      <footer class="foot">
        <p>
          Everything runs in this browser. Your images and questions never leave it, and the page contacts no
          other server unless you load a model from the Hugging Face Hub.
        </p>
      </footer>
      <p class="visually-hidden" role="status" aria-live="polite">
        {announcement.value}
      </p>
    </>
  );
}
