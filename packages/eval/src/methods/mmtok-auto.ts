// MMTok with a focus whose strength is measured, so that a text which says nothing about the image does no harm.

import { visionCoverage } from '@mmtok/core';
import type { Method } from './method.js';
import { coverageMethod } from './mmtok.js';

/**
 * Vision coverage alone, focused on the question as far as the question tells vision tokens apart, down to not at all: a change
 * of ours. Its thresholds were chosen on questions about validation scenes of the embedded benchmark.
 */
export const mmtokAuto: Method = coverageMethod({
  name: 'mmtok-auto',
  title: 'MMTok, auto focus',
  coverage: [visionCoverage({ focus: 'auto' })],
});
