// Writes a minimal image for tests that need a file.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

/** The path of a PNG of one pixel in `folder`. */
export function onePixel(folder: string): string {
  const path = join(folder, 'pixel.png');
  writeFileSync(path, Buffer.from(PNG, 'base64'));
  return path;
}
