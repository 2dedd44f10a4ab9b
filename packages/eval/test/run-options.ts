// Options for tests of runs.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Backend, createReferenceBackend } from '@mmtok/core';
import { temporary } from '../../../vitest.temporary.js';
import { mmtok, random } from '../src/methods/index.js';
import type { RunOptions } from '../src/runner/run-evaluation.js';
import { fakeModel, fakeTask } from './fake-run.js';

export const backend: Backend = createReferenceBackend();

export function options(more: Partial<RunOptions> = {}): RunOptions {
  const { model } = fakeModel();
  return {
    task: fakeTask(6),
    model,
    methods: [mmtok, random],
    budgets: ['4', '50%'],
    backend,
    out: temporary(),
    ...more,
  };
}

/** Rewrites the settings of a run as a version that did not save its questions would have written them. */
export function forgetQuestions(out: string): void {
  const path = join(out, 'run.json');
  const { questions, source, ...old } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(old));
}

export const linesOf = (out: string): string[] =>
  readFileSync(join(out, 'records.jsonl'), 'utf8').trimEnd().split('\n');
