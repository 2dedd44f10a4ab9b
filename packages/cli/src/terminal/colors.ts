// Colours for a stream, or none. Follows NO_COLOR and FORCE_COLOR.

import pc from 'picocolors';
import type { Io, Output } from './io.js';

/** Functions that colour text. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Colours if a person looks at the stream, or `FORCE_COLOR` asks for them. */
export function colorsFor(output: Output, env: Io['env']): Colors {
  const isForced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0';
  const isPlain = env.NO_COLOR !== undefined && env.NO_COLOR !== '';
  return pc.createColors(!isPlain && (isForced || (output.isTTY === true && env.TERM !== 'dumb')));
}
