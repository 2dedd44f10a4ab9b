// Runs once around all tests of a run: gives them their own folder for temporary files, and fails the run if they leave folders in it. The
// folder is removed in any case.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Folders of Node and of browsers. Hidden folders, and files, such as logs of ONNX Runtime, are the work of libraries, too. */
const OF_LIBRARIES = /^(\.|node-compile-cache$|playwright|org\.chromium)/;

/** Set while a run has its folder, because every project of a run calls the setup. */
const MARK = 'MMTOK_TEST_TEMPORARY';

/** @returns the teardown, which names the folders that tests left behind. */
export default function ownTemporaryFolder(): (() => void) | undefined {
  if (process.env[MARK] !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'mmtok-tests-'));
  process.env[MARK] = folder;
  // The first is for POSIX, the others are for Windows.
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder;
  return () => {
    const left = readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !OF_LIBRARIES.test(entry.name))
      .map(({ name }) => name);
    rmSync(folder, { recursive: true, force: true });
    if (left.length === 0) return;
    console.error(
      `Tests left temporary folders behind: ${left.join(', ')}. Use temporary() of vitest.temporary.ts.`,
    );
    // Vitest prints an error of a teardown, but exits with 0.
    process.exitCode = 1;
  };
}
