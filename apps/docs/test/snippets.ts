// The code of the guides: finds fenced blocks of TypeScript and JavaScript, and lays them out as files that a compiler can read.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the site. */
export const site: string = join(import.meta.dirname, '..');

/** A block of code on a page. */
export interface Snippet {
  /** Page and number, e.g. `'guide/node.md, block 2'`. */
  readonly name: string;
  /** Path of its file, relative to the folder of all snippets. */
  readonly file: string;
  /** The page's preamble, and the block as printed. */
  readonly code: string;
  /** Whether the block says `run`: it is run on the embedded model. */
  readonly isRun: boolean;
}

/** Pages with code, relative to the site. */
export function pages(): readonly string[] {
  return readdirSync(site, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) => path.endsWith('.md') && !/(^|\/)(node_modules|reference|dist|\.cache|public)\//.test(path),
    )
    .sort();
}

/**
 * The blocks of a page. The fence is `ts` or `js`, then `run` if the block is to be run, and `[file-name.ts]` if other blocks
 * of the page import it. `preambles/<page>.d.ts` declares what every block of the page sees.
 */
export function snippetsOf(page: string): readonly Snippet[] {
  const text = readFileSync(join(site, page), 'utf8');
  const declarations = join(site, 'test/preambles', page.replace(/\.md$/, '.d.ts'));
  const preamble = existsSync(declarations) ? readFileSync(declarations, 'utf8') : '';
  const blocks = [...text.matchAll(/^```(ts|js|tsx|jsx|typescript|javascript)\b([^\n]*)\n([\s\S]*?)^```/gm)];
  return blocks.map(([, language = 'ts', info = '', code = ''], at) => {
    const title = /\[([\w.-]+)\]/.exec(info)?.[1];
    return {
      name: `${page}, block ${at + 1}`,
      file: join(page.replace(/\.md$/, ''), title ?? `block-${at + 1}.${language}`),
      // `export {}` makes a module of a block without imports, so that names of blocks do not meet.
      code: title === undefined ? `${preamble}${code}export {};\n` : code,
      isRun: /\brun\b/.test(info),
    };
  });
}

/** Writes snippets into `folder`, replacing what is there, and returns their absolute paths. */
export function writeSnippets(
  folder: string,
  snippets: readonly Snippet[],
  edit: (code: string) => string = (code) => code,
): readonly string[] {
  rmSync(folder, { recursive: true, force: true });
  return snippets.map(({ file, code }) => {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, edit(code));
    return path;
  });
}
