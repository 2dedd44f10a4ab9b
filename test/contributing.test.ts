// CONTRIBUTING.md names the files that a change touches. They exist.

import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './workspace.js';

const text = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');

/** Paths in code and links. `<name>` stands for a file that is to be written: its folder counts. */
const paths = [
  ...[...text.matchAll(/`((?:packages|apps|examples|test|training|docs)\/[^`\s]*)`/g)].map(
    ([, path = '']) => path,
  ),
  ...[...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path),
].map((path) => (path.includes('<') ? dirname(path) : path));

test('names many files', () => expect(paths.length).toBeGreaterThan(25));

test.each([...new Set(paths)])('%s exists', (path) => {
  expect(existsSync(join(root, path))).toBe(true);
});
