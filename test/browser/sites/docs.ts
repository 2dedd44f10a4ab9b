// The documentation site as it is published: how to build it, with the playground in it.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../workspace.js';
import { buildSite } from './playground.js';

const execute = promisify(execFile);
const docs = join(root, 'apps/docs');

/** Where screenshots go. Ignored by git. */
export const screenshots: string = join(root, '.cache/docs-screenshots');

/**
 * Builds the playground, the API reference, and the site.
 * @param base the site's path on its server, with slashes at both ends.
 * @returns the site's folder.
 */
export async function buildDocs(base: string): Promise<string> {
  await buildSite(join(root, 'apps/playground/dist'));
  await execute(process.execPath, ['scripts/prepare.mjs'], { cwd: docs });
  const outDir = join(root, '.cache/docs-site');
  const vitepress = createRequire(join(docs, 'package.json')).resolve('vitepress/package.json');
  await execute(
    process.execPath,
    [join(dirname(vitepress), 'bin/vitepress.js'), 'build', '--outDir', outDir],
    {
      cwd: docs,
      env: { ...process.env, NODE_ENV: 'production', DOCS_BASE: base },
    },
  );
  return outDir;
}
