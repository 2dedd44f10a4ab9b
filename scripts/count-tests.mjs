// Counts the tests in a vitest JSON report, for .ci/run: prints `passed failed skipped`. Runs no test itself.
// Usage: node scripts/count-tests.mjs <report.json> <exit status of vitest>

import { readReport } from './vitest-report.mjs';

const [, , path = '', status = '1'] = process.argv;
const { passed, failed, skipped } = readReport(path);

// Something other than a test failed: there is no report, or an error outside every test. It counts as one failure.
const isUnexplained = status !== '0' && failed === 0;
console.log(passed, isUnexplained ? 1 : failed, skipped);
