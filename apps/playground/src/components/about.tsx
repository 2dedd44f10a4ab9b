// What the page shows, explained.

import type { JSX } from 'preact';
import { Panel } from './parts.js';

/** Four short explanations. */
export function About(): JSX.Element {
  return (
    <Panel id="about" title="What you are looking at">
      <div class="about-columns">
        <div>
          <h3>One token per patch</h3>
          <p>
            The vision encoder turns the image into a grid of vision tokens: 24 by 24, or 576, in the model
            for shapes. The language model reads them before the question, and they make up most of its work.
          </p>
        </div>
        <div>
          <h3>Two kinds of coverage</h3>
          <p>
            A patch is worth keeping if it resembles a word of the question, or if it represents other
            patches. MMTok adds up both and picks greedily: each pick is the patch that adds the most to what
            is already covered.
          </p>
        </div>
        <div>
          <h3>One order for every budget</h3>
          <p>
            The first ten of fifty picks are the picks for ten. One ranking therefore serves the whole slider:
            moving it only redraws the image, and then the model answers again.
          </p>
        </div>
        <div>
          <h3>Only the tiles that matter</h3>
          <p>
            Some models cut an image into tiles and also see all of it scaled down. MMTok encodes this
            overview first, then only the tiles where the question needs detail that the overview lost.
          </p>
        </div>
      </div>
      <p class="hint">
        The method is MMTok, <cite>Multimodal Coverage Maximization for Efficient Inference of VLMs</cite>{' '}
        (arXiv 2508.18264). The focus and this implementation are ours. The embedded models have about two
        million parameters each and know only drawn shapes and signs.
      </p>
    </Panel>
  );
}
