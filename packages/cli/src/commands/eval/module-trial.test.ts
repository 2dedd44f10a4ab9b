import { expect, it } from 'vitest';
import { loadsInTime } from './module-trial.js';

const moduleOf = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`;
const SOON_MS = 500;

it('passes a module that loads', async () => {
  await expect(loadsInTime(moduleOf('export default 1'))).resolves.toBeUndefined();
});

it.each([
  ['computes for ever', 'for (;;);', 'it did not finish loading within 0.5 s'],
  ['waits for ever', 'setInterval(() => {}, 1000); await new Promise(() => {})', 'it did not finish loading'],
  ['waits for nothing', 'await new Promise(() => {})', 'it '],
  ['ends the process', 'process.exit(0)', 'it ends the process'],
  ['throws', "throw new Error('no such thing')", 'no such thing'],
  ['has wrong syntax', 'export default (', 'Unexpected'],
])('refuses a module that %s', async (_, code, problem) => {
  await expect(loadsInTime(moduleOf(code), SOON_MS)).rejects.toThrow(problem);
});
