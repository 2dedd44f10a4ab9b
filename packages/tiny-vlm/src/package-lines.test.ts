// Files that should have come with the package.
import { expect, test } from 'vitest';
import { readPackageText } from './package-lines.js';

test('a missing file is named, with what to do', async () => {
  const missing = readPackageText(new URL('./no-such-folder/questions.jsonl', import.meta.url));
  await expect(missing).rejects.toMatchObject({
    code: 'MMTOK_QUESTIONS_MISSING',
    message: expect.stringMatching(/no-such-folder.*Install/),
  });
});
