// The characters of signs: 5 × 7 bitmaps, row by row from the top, identical to training/tiny_vlm/glyphs.py. Change both
// together.

/** The bitmap of each character that a sign may have. */
export const glyphs: Readonly<Record<string, readonly string[]>> = {
  '2': ['.###.', '#...#', '....#', '..##.', '.#...', '#....', '#####'],
  '4': ['...#.', '..##.', '.#.#.', '#..#.', '#####', '...#.', '...#.'],
  '5': ['#####', '#....', '####.', '....#', '....#', '#...#', '.###.'],
  '7': ['#####', '....#', '...#.', '..#..', '..#..', '.#...', '.#...'],
  '9': ['.###.', '#...#', '#...#', '.####', '....#', '...#.', '.##..'],
  h: ['#...#', '#...#', '#...#', '#####', '#...#', '#...#', '#...#'],
  k: ['#...#', '#..#.', '#.#..', '##...', '#.#..', '#..#.', '#...#'],
  m: ['#...#', '##.##', '#.#.#', '#.#.#', '#...#', '#...#', '#...#'],
  p: ['####.', '#...#', '#...#', '####.', '#....', '#....', '#....'],
  t: ['#####', '..#..', '..#..', '..#..', '..#..', '..#..', '..#..'],
  u: ['#...#', '#...#', '#...#', '#...#', '#...#', '#...#', '.###.'],
  x: ['#...#', '#...#', '.#.#.', '..#..', '.#.#.', '#...#', '#...#'],
};

/** The characters that a sign may have, lowercase as in answers; signs show capitals. */
export const signCharacters: readonly string[] = Object.keys(glyphs);

/** Side of a glyph's dot in pixels. */
export const DOT = 2;

/** Distance in pixels from one character to the next. */
export const PITCH = 16;

/** Width of a glyph in dots. */
export const COLUMNS = 5;

/** Height of a glyph in dots. */
export const ROWS = 7;

/** Half the height of a sign in pixels. */
export const HALF_HEIGHT = 10;
