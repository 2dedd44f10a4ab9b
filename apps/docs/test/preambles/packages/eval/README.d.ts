// What the blocks of packages/eval/README.md assume.
import type { Backend } from '@mmtok/core';
import type { EvalModel, Task } from '@mmtok/eval';

declare const backend: Backend;
declare const model: EvalModel;
declare const task: Task;
