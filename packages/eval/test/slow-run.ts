// A run in its own process: `node slow-run.mjs <folder> [<records>]`. With a number of records, it kills itself with SIGKILL shortly after
// writing them: a kill from outside might come after the run has ended on a busy machine.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceBackend } from '@mmtok/core';
import { mmtok, random, runEvaluation } from '../src/index.js';
import { fakeModel, fakeTask } from './fake-run.js';

const [, , out = '', records] = process.argv;
const path = join(out, 'records.jsonl');
const written = (): number => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0);
if (records !== undefined) {
  setInterval(() => {
    if (written() >= Number(records)) process.kill(process.pid, 'SIGKILL');
  }, 1).unref();
}

await runEvaluation({
  task: fakeTask(6),
  model: fakeModel(20).model,
  methods: [mmtok, random],
  budgets: ['4', '50%'],
  backend: createReferenceBackend(),
  out,
});
