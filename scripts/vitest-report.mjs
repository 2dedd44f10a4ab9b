// Reads a vitest JSON report: how many tests passed, failed and were skipped, and what failed.

import { existsSync, readFileSync } from 'node:fs';

/**
 * @typedef {{ status: string, fullName: string, failureMessages?: string[] }} Test
 * @typedef {{ name: string, status: string, message?: string, assertionResults: Test[] }} File
 * @typedef {{ name: string, message: string }} Failure a test, or a file that cannot be loaded, and the error.
 */

/**
 * @param {string} path of the report. One that does not exist reads as empty.
 * @returns {{ passed: number, failed: number, skipped: number, failures: Failure[] }}
 */
export function readReport(path) {
  /** @type {File[]} */
  const files = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).testResults : [];
  const tests = files.flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
  const failedTests = tests.filter(({ status }) => status === 'failed');
  // A file that cannot be loaded has no failed tests.
  const brokenFiles = files.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  const passed = tests.filter(({ status }) => status === 'passed').length;
  return {
    passed,
    failed: failedTests.length + brokenFiles.length,
    skipped: tests.length - passed - failedTests.length,
    failures: [
      ...failedTests.map(({ file, fullName, failureMessages = [] }) => ({
        name: `${file} > ${fullName}`,
        message: failureMessages[0] ?? '',
      })),
      ...brokenFiles.map(({ name, message = '' }) => ({ name, message })),
    ],
  };
}
