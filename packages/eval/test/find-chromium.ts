// Finds an installed Chromium or Chrome.

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const NAMES = [
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  'chrome-headless-shell',
];

/** The path of an installed browser that runs: `CHROME_PATH`, one on the `PATH`, or one that Playwright installed. */
export function findChromium(): string | undefined {
  const onPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH ?? join(homedir(), '.cache', 'ms-playwright');
  const installed = existsSync(cache)
    ? readdirSync(cache, { recursive: true, encoding: 'utf8' })
        .filter((path) => /(chrome|headless_shell|chrome-headless-shell)$/.test(path))
        .map((path) => join(cache, path))
    : [];
  return [process.env.CHROME_PATH ?? '', ...onPath, ...installed].find(
    // Ubuntu has a program `chromium-browser` that only says what to install.
    (path) => path !== '' && existsSync(path) && spawnSync(path, ['--version']).status === 0,
  );
}
