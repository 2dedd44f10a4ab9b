// The tasks that a command line names: the embedded benchmark, public benchmarks, and a user's own folder.

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type FolderTaskOptions, folderTask, getTask, shapesTask, type Task, taskNames } from '@mmtok/eval';
import { UsageError } from '../../errors.js';

/** The embedded benchmark. */
export const SHAPES = 'shapes';

/**
 * Finds a task: `shapes`, a built-in one by its name, or a folder of pictures with a JSONL of questions and answers.
 * @param options for a folder.
 * @throws UsageError for a folder that is not written as one, and for options of other tasks.
 * @throws UnknownTaskError for anything else.
 */
export async function resolveTask(name: string, cwd: string, options: FolderTaskOptions = {}): Promise<Task> {
  const isPath = /[/\\]|^\.+$/.test(name);
  if (options.match !== undefined && !isPath) {
    throw new UsageError(
      `--match: '${name}' has a comparison of its own; only a folder of your own questions, such as ./my-task, can have another.`,
    );
  }
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
  if (isFolder && isPath) return folderTask(path, options) as Task;
  if (isFolder && !taskNames.includes(name)) {
    throw new UsageError(`There is no task '${name}', but a folder: to take it, write ./${name}.`);
  }
  return getTask(name);
}
