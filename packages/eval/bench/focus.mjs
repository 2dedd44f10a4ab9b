// Methods of `mmtok eval` and score.mjs: vision coverage with a focus of several strengths, to choose one on validation questions.
import { visionCoverage } from '@mmtok/core';
import { coverageMethod } from '@mmtok/eval';

export default [2, 3, 4].map((focus) =>
  coverageMethod({
    name: `focus-${focus}`,
    title: `MMTok, focus ${focus}`,
    coverage: [visionCoverage({ focus })],
  }),
);
