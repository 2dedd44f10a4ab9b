// The decisions of docs/decisions, which stay beside the code and are shown here.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../../docs/decisions');

/** A decision. */
export interface Decision {
  /** Its file's name without `.md`, e.g. `'0009-focus'`. */
  readonly slug: string;
  readonly title: string;
  readonly text: string;
}

/** All decisions in their order. */
export function decisions(): readonly Decision[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return {
        slug: file.replace(/\.md$/, ''),
        title: (/^# (.*)$/m.exec(text)?.[1] ?? file).replaceAll('`', ''),
        text,
      };
    });
}
