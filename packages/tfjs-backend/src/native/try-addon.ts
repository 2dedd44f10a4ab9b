// Loads a built addon in a separate process and computes something with it.

import { runCommand } from './run-command.js';

const TRIAL = `
const tf = require(process.argv[1]);
const product = tf.matMul(tf.ones([3, 5]), tf.ones([7, 5]), false, true).sum().dataSync()[0];
if (tf.getBackend() !== 'tensorflow' || product !== 105) throw new Error('the product is ' + product + ' instead of 105');
console.log(tf.backend().isUsingGpuDevice ? 'gpu' : 'cpu');
`;

/**
 * The device of the addon in a package folder, `'cpu'` or `'gpu'`.
 * @throws NativeBuildError if it does not load or compute.
 */
export function tryAddon(path: string): string {
  const output = runCommand('Trying the addon', process.execPath, ['-e', TRIAL, path], {
    hint: 'Rebuild it with --force',
  });
  return output.trim().split('\n').at(-1) as string;
}
