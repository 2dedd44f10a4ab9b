// Puts the built playground under the site, so that pages reach it by a relative path.
import { cp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const built = join(import.meta.dirname, '../../playground/dist');
const target = join(import.meta.dirname, '../public/playground');

/** Whether the playground has been built. */
async function isPlaygroundBuilt() {
  return (await stat(join(built, 'index.html')).catch(() => undefined)) !== undefined;
}

/** Copies `apps/playground/dist` to `public/playground`, or removes an old copy if the playground is not built. */
export async function copyPlayground() {
  await rm(target, { recursive: true, force: true });
  const isBuilt = await isPlaygroundBuilt();
  if (isBuilt) {
    await mkdir(target, { recursive: true });
    await cp(built, target, { recursive: true });
  }
  return { isBuilt };
}

/** Whether a copy is part of the site that is being built. */
export async function hasPlayground() {
  return (await readFile(join(target, 'index.html')).catch(() => undefined)) !== undefined;
}
