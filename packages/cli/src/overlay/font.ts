// Text as vector outlines, so that pictures look the same everywhere. The image library could draw text too, but it asks
// the system for fonts, and on a machine without any (most containers) it draws nothing, or ends the process
// (https://github.com/lovell/sharp/issues/4409). The font is DejaVu Sans (Latin, Greek, Cyrillic, Arabic and more): one
// open-licence file of 370 kB from npm. Characters it lacks are drawn as boxes.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** Measures and draws single lines of text. */
export interface Font {
  /** Width of a line in pixels. */
  widthOf(text: string, size: number): number;
  /** Outline of a line as SVG path data, its baseline beginning at (x, y). */
  outlineOf(text: string, x: number, y: number, size: number): string;
}

/** The few members of opentype.js that are used; it comes without types. */
interface OpentypeFont {
  readonly unitsPerEm: number;
  charToGlyph(character: string): OpentypeGlyph;
}
interface OpentypeGlyph {
  readonly advanceWidth?: number;
  getPath(x: number, y: number, size: number): { toPathData(decimals: number): string };
}

const FONT_FILE = '@fontsource/dejavu-sans/files/dejavu-sans-latin-400-normal.woff';

let loading: Promise<Font> | undefined;

/** The font of all overlays, loaded once. */
export function loadFont(): Promise<Font> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Font> {
  const file = await readFile(createRequire(import.meta.url).resolve(FONT_FILE));
  // @ts-expect-error The package has no type declarations.
  const { default: opentype } = await import('opentype.js');
  const font: OpentypeFont = opentype.parse(new Uint8Array(file).buffer);

  /** Glyphs with their places from the line's start, and the line's width, in units of the font. */
  const layOut = (text: string): { glyphs: { glyph: OpentypeGlyph; at: number }[]; width: number } => {
    const glyphs: { glyph: OpentypeGlyph; at: number }[] = [];
    let width = 0;
    for (const character of text) {
      const glyph = font.charToGlyph(character);
      glyphs.push({ glyph, at: width });
      width += glyph.advanceWidth ?? 0;
    }
    return { glyphs, width };
  };
  return {
    widthOf: (text, size) => (layOut(text).width * size) / font.unitsPerEm,
    outlineOf: (text, x, y, size) =>
      layOut(text)
        .glyphs.map(({ glyph, at }) =>
          glyph.getPath(x + (at * size) / font.unitsPerEm, y, size).toPathData(1),
        )
        .join(''),
  };
}
