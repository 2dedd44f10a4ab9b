// The tasks that a command line names: the embedded benchmark, public benchmarks, and a user's own folder.

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { folderTask, getTask, shapesTask, type Task, taskNames } from '@mmtok/eval';
import { UsageError } from '../errors/usage-error.js';

/** The embedded benchmark. */
export const SHAPES = 'shapes';

/**
 * Finds a task: `shapes`, a built-in one by its name, or a folder of pictures with a JSONL of questions and answers.
 * @throws UsageError for a folder that is not written as one.
 * @throws UnknownTaskError for anything else.
 */
export async function resolveTask(name: string, cwd: string): Promise<Task> {
  if (name === SHAPES) {
    const { heldOut } = await import('@mmtok/tiny-vlm');
    return shapesTask(await heldOut()) as Task;
  }
  const path = resolve(cwd, name);
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  // A folder must be written as one, so that a name means the same wherever it is typed.
  if (isFolder && /[/\\]|^\.+$/.test(name)) return folderTask(path) as Task;
  if (isFolder && !taskNames.includes(name)) {
    throw new UsageError(`There is no task '${name}', but a folder: to take it, write ./${name}.`);
  }
  return getTask(name);
}
