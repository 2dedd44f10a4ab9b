// The reference harness lmms-eval: which of its releases to follow, and Python's text and number rules where JavaScript's differ
// and a score depends on it.

/**
 * A release of lmms-eval (https://github.com/EvolvingLMMs-Lab/lmms-eval) to score like: tag v0.3.4 (May 2025), tag v0.4 (July
 * 2025), or `latest`, its main branch of August 2026. Five scorers differ between them; each documents how.
 */
export type Profile = 'lmms-eval-0.3.4' | 'lmms-eval-0.4' | 'latest';

/** All profiles. */
export const PROFILES: readonly Profile[] = ['lmms-eval-0.3.4', 'lmms-eval-0.4', 'latest'];

const SPACE =
  '\\t\\n\\v\\f\\r\\x1c-\\x1f \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const ONE_SPACE: RegExp = new RegExp(`[${SPACE}]`);
const INNER_SPACE: RegExp = new RegExp(`[${SPACE}]+`);

/** Removes characters accepted by `isOuter` from both ends. A regular expression would take quadratic time. */
function stripWhere(text: string, isOuter: (character: string) => boolean): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOuter(text[start]!)) start++;
  while (end > start && isOuter(text[end - 1]!)) end--;
  return text.slice(start, end);
}

/** Python's `str.strip()`: keeps U+FEFF, removes the separators 0x1c–0x1f. */
export function strip(text: string): string {
  return stripWhere(text, (character) => ONE_SPACE.test(character));
}

/** Python's `str.split()`: the words between runs of whitespace. */
export function words(text: string): string[] {
  const stripped = strip(text);
  return stripped === '' ? [] : stripped.split(INNER_SPACE);
}

/** Python's `str.strip(character)`: runs of one character at both ends. */
export function stripCharacter(text: string, character: string): string {
  return stripWhere(text, (other) => other === character);
}

/** Python's `str.rstrip(character)`. */
export function stripEnd(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end--;
  return text.slice(0, end);
}

// Digraphs whose title case is neither their upper nor their lower case.
const TITLE_CASE: Readonly<Record<string, string>> = { Ǆ: 'ǅ', Ǉ: 'ǈ', Ǌ: 'ǋ', Ǳ: 'ǲ' };

/** Python's `str.capitalize()`: first character in title case, the rest in LOWER case ("NASA" → "Nasa"). */
export function capitalize(text: string): string {
  const first = [...text][0];
  if (first === undefined) return text;
  const [head = '', ...tail] = first.toUpperCase();
  return (TITLE_CASE[head] ?? head) + tail.join('').toLowerCase() + text.slice(first.length).toLowerCase();
}

const NUMBER = /^[+-]?(?:(?:\d+(?:_\d+)*)?\.\d+(?:_\d+)*|\d+(?:_\d+)*\.?)(?:e[+-]?\d+(?:_\d+)*)?$/i;
const SPECIAL = /^([+-]?)(?:(inf(?:inity)?)|nan)$/i;

// Decimal digits come in blocks of ten, so a digit's value is its offset in its block.
function asciiDigits(text: string): string {
  return text.replace(/[^\P{Nd}0-9]/gu, (digit) => {
    const code = digit.codePointAt(0)!;
    let zero = code;
    while (code - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String(code - zero);
  });
}

/** Python's `float(text)`, or `null` if it raises: no thousands comma, no hex; `inf`, `nan` and `1_000` are numbers. */
export function parseFloatStrict(text: string): number | null {
  const plain = asciiDigits(strip(text));
  if (NUMBER.test(plain)) return Number(plain.replaceAll('_', ''));
  const special = SPECIAL.exec(plain);
  if (special === null) return null;
  if (special[2] === undefined) return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** Python's `round(value, 2)`: rounds the exact binary value, ties to even. */
export function roundToCents(value: number): number {
  if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 52) return value;
  // A tie is an odd multiple of 1/8: only then is the third decimal exactly 5.
  const eighths = value * 8;
  if (!Number.isInteger(eighths) || eighths % 2 === 0) return Number(value.toFixed(2));
  const below = Math.floor(value * 100);
  return (below % 2 === 0 ? below : below + 1) / 100;
}

/** The text as code points, which is what Python counts. */
export function codePoints(text: string): readonly string[] {
  return Array.from(text);
}
