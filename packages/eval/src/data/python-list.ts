// Reads a Python list literal of strings, the form in which MMMU keeps its options. Not other literals, and not the
// `\N{name}` escape, which Python never writes itself.

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\n': '',
};
// One escape: octal, \x41, \u00e9, \U0001f600, or one character.
const ESCAPE = /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([^xuUN0-7]))/gu;
const STRING = /'((?:[^'\\\n]|\\[^N])*)'|"((?:[^"\\\n]|\\[^N])*)"/y;
const SPACE = /\s*/y;

function withoutEscapes(body: string): string {
  return body.replace(ESCAPE, (whole, octal?: string, ...rest: (string | undefined)[]) => {
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    const hex = rest[0] ?? rest[1] ?? rest[2];
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    const character = rest[3]!;
    if (character in ESCAPES) return ESCAPES[character]!;
    return `'"\\`.includes(character) ? character : whole;
  });
}

/** The strings of a literal such as `['a', "it's"]`, or `null` when `literal` is something else. */
export function parsePythonList(literal: string): string[] | null {
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(literal);
    if (match !== null) at += match[0].length;
    return match;
  };
  const takeMark = (mark: string): boolean => {
    take(SPACE);
    if (literal[at] !== mark) return false;
    at++;
    take(SPACE);
    return true;
  };
  // Strings side by side are one string.
  const takeItem = (): string | null => {
    let item: string | null = null;
    for (let match = take(STRING); match !== null; match = take(STRING)) {
      item = (item ?? '') + withoutEscapes(match[1] ?? match[2] ?? '');
      take(SPACE);
    }
    return item;
  };

  if (!takeMark('[')) return null;
  const items: string[] = [];
  while (!takeMark(']')) {
    const item = takeItem();
    if (item === null) return null;
    items.push(item);
    if (!takeMark(',') && literal[at] !== ']') return null;
  }
  return at === literal.length ? items : null;
}
