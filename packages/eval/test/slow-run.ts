// A slow run in its own process, which a test kills: `node slow-run.mjs <folder>`.

import { createReferenceBackend } from '@mmtok/core';
import { mmtok, random, runEvaluation } from '../src/index.js';
import { fakeModel, fakeTask } from './fake-run.js';

await runEvaluation({
  task: fakeTask(6),
  model: fakeModel(20).model,
  methods: [mmtok, random],
  budgets: ['4', '50%'],
  backend: createReferenceBackend(),
  out: process.argv[2] as string,
});
