// Counts the tests in a vitest JSON report, for .ci/run: prints `passed failed skipped`. Runs no test itself.
// Usage: node scripts/count-tests.mjs <report.json> <exit status of vitest>

import { existsSync, readFileSync } from 'node:fs';

const [, , path = '', status = '1'] = process.argv;
const { passed, failed, skipped } = existsSync(path)
  ? count(JSON.parse(readFileSync(path, 'utf8')))
  : { passed: 0, failed: 0, skipped: 0 };

// Something other than a test failed: there is no report, or an error outside every test. It counts as one failure.
const isUnexplained = status !== '0' && failed === 0;
console.log(passed, isUnexplained ? 1 : failed, skipped);

/**
 * @typedef {{ status: string, assertionResults: { status: string }[] }} File
 * @param {{ testResults: File[] }} report
 */
function count({ testResults }) {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults.map((test) => test.status));
  // A file that cannot even be loaded has no tests.
  const brokenFiles = testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const passed = tests.filter((outcome) => outcome === 'passed').length;
  const failed = tests.filter((outcome) => outcome === 'failed').length;
  return { passed, failed: failed + brokenFiles.length, skipped: tests.length - passed - failed };
}
