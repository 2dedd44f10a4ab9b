// The tasks that a command line names: the embedded benchmark, public benchmarks, and a user's own folder.

import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { folderTask, getTask, shapesTask, type Task } from '@mmtok/eval';

/** The embedded benchmark. */
export const SHAPES = 'shapes';

/**
 * Finds a task: `shapes`, a built-in one by its name, or a folder of pictures with a JSONL of questions and answers.
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
  return isFolder && /[/\\]|^\.+$/.test(name) ? (folderTask(path) as Task) : getTask(name);
}
