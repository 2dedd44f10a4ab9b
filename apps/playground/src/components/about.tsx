// What the page shows, explained.

import type { JSX } from 'preact';
import { Panel } from './parts.js';

/** Three short explanations. */
export function About(): JSX.Element {
  return (
    <Panel id="about" title="What you are looking at">
      <div class="about-columns">
        <div>
          <h3>One token per patch</h3>
          <p>
            The vision encoder turns the picture into a grid of vision tokens: here 24 by 24, so 576. The
            language model reads them before the question, and most of its work goes into them.
          </p>
        </div>
        <div>
          <h3>Covering two things</h3>
          <p>
            A patch is worth keeping if it resembles a word of the question, or if it can stand for other
            patches. MMTok adds both up and picks greedily: each pick is the patch that adds most to what is
            covered so far.
          </p>
        </div>
        <div>
          <h3>One order for every budget</h3>
          <p>
            The choice for fifty tokens begins with the choice for ten. So one ranking serves the whole
            slider, and moving it selects nothing anew; only the answers have to be written again.
          </p>
        </div>
      </div>
      <p class="hint">
        The method is MMTok, <cite>Multimodal Coverage Maximization for Efficient Inference of VLMs</cite>{' '}
        (arXiv 2508.18264). The focus, and this implementation, are ours. The embedded model has 1.9 million
        parameters and knows drawn shapes only.
      </p>
    </Panel>
  );
}
