// `pnpm start`: builds what the command line needs, quietly, then shows the main job. Arguments go to `mmtok demo`.

import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/**
 * Runs a Node program in the root folder.
 * @param {string[]} parameters
 * @param {import('node:child_process').StdioOptions} stdio `'pipe'` keeps its output back and returns it.
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(parameters, stdio) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NX_DAEMON: 'false' };
    const child = spawn(process.execPath, parameters, { cwd: root, stdio, env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

const began = performance.now();
process.stdout.write('Building … ');
const nx = createRequire(import.meta.url).resolve('nx/bin/nx.js');
const built = await run([nx, 'run', 'mmtok:build', '--outputStyle=static'], 'pipe');
if (built.code !== 0) {
  console.log(`failed\n\n${built.output}`);
  process.exit(built.code);
}
console.log(`done in ${((performance.now() - began) / 1000).toFixed(1)} s\n`);

const demo = ['packages/cli/dist/bin.js', 'demo', ...process.argv.slice(2)];
process.exit((await run(demo, 'inherit')).code);
