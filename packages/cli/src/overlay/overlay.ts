// What an overlay shows, as plain data. Drawing is the other files' work.

import type { TokenGrid } from '@mmtok/core/internal';
import type { Picture } from '../images/picture.js';

/** A picture with its grid of vision tokens and the ones that were kept. */
export interface TokenView extends TokenGrid {
  readonly picture: Picture;
}

/** A line of the caption; it wraps where it is too long. */
export interface CaptionLine {
  readonly text: string;
  /** How it is set: `question` and `note` are quiet, `good` and `bad` are answers known to be right or wrong. */
  readonly style: 'question' | 'answer' | 'good' | 'bad' | 'note';
}

/** One or more views (an image, or the tiles of an image) over one caption. */
export interface OverlayPanel {
  readonly views: readonly TokenView[];
  /** How many views stand beside each other. @default as many as make the panel about square */
  readonly viewColumns?: number;
  readonly caption: readonly CaptionLine[];
}
