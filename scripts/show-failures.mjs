// Says in a few lines what failed in a stage of .ci/run, which repeats it above its summary: the failed tests of a vitest report
// with their errors, or, if no test failed, the lines of the log that say most.
// Usage: node scripts/show-failures.mjs <stage> <log> [<report.json>]

import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { readReport } from './vitest-report.mjs';

/** Failed tests that are named, and lines of a log. */
const MOST = 15;
const WIDTH = 200;

const [, , stage = '', log = '', report = ''] = process.argv;
const { failures } = readReport(report);
console.log(`${stage}:`);
const lines = failures.length > 0 ? failures.slice(0, MOST).flatMap(describeFailure) : tellingLines(log);
for (const line of lines) console.log(`  ${line.trimEnd().slice(0, WIDTH)}`);
if (failures.length > MOST) console.log(`  … and ${failures.length - MOST} more`);

/**
 * The test's name, its error, and where in the tests it was thrown.
 * @param {import('./vitest-report.mjs').Failure} failure
 */
function describeFailure({ name, message }) {
  const all = message.split('\n');
  const error = all.filter((line) => line.trim() !== '' && !/^\s+at /.test(line)).slice(0, 2);
  const place = all.find((line) => /^\s+at .*\.test\.ts:/.test(line));
  return [name, ...error, ...(place === undefined ? [] : [place.trim()])].map((line, at) => {
    const local = line.replaceAll(`${process.cwd()}/`, '');
    return at === 0 ? local : `  ${local}`;
  });
}

/**
 * What pytest says about its failed tests; else where vitest reports an error outside of all tests; else the end of the log.
 * @param {string} path
 */
function tellingLines(path) {
  const all = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const written = all.filter((line) => line.trim() !== '');
  const failed = written.filter((line) => /^(FAILED|ERROR) /.test(line));
  if (failed.length > 0) return failed.slice(0, MOST);
  const outside = written.findIndex((line) => /Unhandled (Errors?|Rejection)/.test(line));
  if (outside >= 0) return written.slice(outside, outside + MOST);
  return written.length > 0 ? written.slice(-MOST) : [`see ${relative(process.cwd(), path)}`];
}
