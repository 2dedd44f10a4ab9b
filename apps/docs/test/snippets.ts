// The code in the documentation: finds fenced blocks of TypeScript and JavaScript, and writes them as files that a compiler can read.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the site. */
export const site: string = join(import.meta.dirname, '..');

const root = join(site, '../..');

/** A block of code on a page. */
export interface Snippet {
  /** Page and number, e.g. `'apps/docs/guide/node.md, block 2'`. */
  readonly name: string;
  /** Path of its file, relative to the folder of all snippets. */
  readonly file: string;
  /** The page's preamble, and the block as printed. */
  readonly code: string;
  /** Whether the block says `run`: it is run on the embedded model. */
  readonly isRun: boolean;
  /** Whether its types are checked. Blocks that say `untyped` are only parsed, e.g. if they use a library's untyped extension. */
  readonly isTyped: boolean;
}

/**
 * Pages that may have code, relative to the repository: those of the site, and README files of packages except tiny-vlm's, whose
 * own test runs its blocks.
 */
export function pages(): readonly string[] {
  const guides = readdirSync(site, { recursive: true, encoding: 'utf8' })
    .filter(
      (path) => path.endsWith('.md') && !/(^|\/)(node_modules|reference|dist|\.cache|public)\//.test(path),
    )
    .map((path) => `apps/docs/${path}`);
  const readmes = readdirSync(join(root, 'packages'))
    .filter((name) => name !== 'tiny-vlm')
    .map((name) => `packages/${name}/README.md`);
  return ['README.md', ...guides, ...readmes.filter((path) => existsSync(join(root, path)))].sort();
}

/**
 * The blocks of a page. The fence is `ts` or `js`, then `run` if the block is to be run, `untyped` if its types are not to be
 * checked, and `[file-name.ts]` if other blocks of the page import it. `preambles/<page>.d.ts` declares the variables that blocks of the page assume.
 */
export function snippetsOf(page: string): readonly Snippet[] {
  const text = readFileSync(join(root, page), 'utf8');
  const place = page.replace(/\.md$/, '');
  const declarations = join(site, 'test/preambles', `${place.replace(/^apps\/docs\//, '')}.d.ts`);
  const preamble = existsSync(declarations) ? readFileSync(declarations, 'utf8') : '';
  const blocks = [...text.matchAll(/^```(ts|js|tsx|jsx|typescript|javascript)\b([^\n]*)\n([\s\S]*?)^```/gm)];
  return blocks.map(([, language = 'ts', info = '', code = ''], at) => {
    const title = /\[([\w.-]+)\]/.exec(info)?.[1];
    // JavaScript cannot declare variables without defining them.
    const extension = preamble === '' ? language : language.replace(/^j/, 't');
    return {
      name: `${page}, block ${at + 1}`,
      file: join(place, title ?? `block-${at + 1}.${extension}`),
      // `export {}` makes every block a module, so that equal names in two blocks do not collide.
      code: title === undefined ? `${withoutDefined(preamble, code)}${code}export {};\n` : code,
      isRun: /\brun\b/.test(info),
      isTyped: !/\buntyped\b/.test(info),
    };
  });
}

/** A preamble without the declarations of names that the code itself imports or defines. */
function withoutDefined(preamble: string, code: string): string {
  const isDefined = (name: string): boolean =>
    new RegExp(`\\b(?:const|let|function|import)\\b[^=;('"]*\\b${name}\\b`).test(code);
  return preamble
    .split('\n')
    .filter((line) => {
      const name = /^declare (?:const|function) (\w+)/.exec(line)?.[1];
      return name === undefined || !isDefined(name);
    })
    .join('\n');
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
