// Every block of code on the site and in README files of packages compiles against the packages' sources. Blocks marked `run` run
// on the embedded model.
import { join } from 'node:path';
import { modelPath, samples } from '@mmtok/tiny-vlm';
import ts from 'typescript';
import { describe, expect, test, vi } from 'vitest';
import { pages, type Snippet, site, snippetsOf, writeSnippets } from './snippets.js';

const snippets = pages().flatMap(snippetsOf);

test('the main pages have blocks', () => {
  const withCode = new Set(snippets.map(({ name }) => name.split(',')[0]));
  expect([...withCode]).toEqual(
    expect.arrayContaining([
      'apps/docs/guide/node.md',
      'apps/docs/guide/terms-and-selectors.md',
      'packages/core/README.md',
    ]),
  );
});

test('all blocks compile, in one program', () => {
  const files = writeSnippets(join(site, '.cache/snippets'), snippets);
  const program = ts.createProgram([...files], {
    target: ts.ScriptTarget.ES2023,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    customConditions: ['@mmtok/source'],
    // The command line, which this package does not depend on.
    paths: { mmtok: [join(site, '../../packages/cli/src/index.ts')] },
    types: ['node'],
    typeRoots: [join(site, 'node_modules/@types')],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
    allowJs: true,
    checkJs: true,
  });
  const own = new Set(files);
  const snippetOf = (file: ts.SourceFile | undefined): Snippet | undefined =>
    snippets[files.indexOf(file?.fileName ?? '')];
  const problems = program
    .getSourceFiles()
    .filter(({ fileName }) => own.has(fileName))
    .flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...(snippetOf(file)?.isTyped ? program.getSemanticDiagnostics(file) : []),
    ])
    .map(({ file, start = 0, messageText }) => {
      const at = snippetOf(file)?.name;
      const line = file?.text.slice(file.text.lastIndexOf('\n', start) + 1).split('\n', 1)[0];
      return `${at}: ${ts.flattenDiagnosticMessageText(messageText, '\n')} in: ${line?.trim()}`;
    });
  expect(problems).toEqual([]);
});

describe('run on the embedded model', () => {
  const runnable = snippets.filter(({ isRun }) => isRun);

  test.each(runnable.map((snippet) => [snippet.name, snippet] as const))('%s', async (_, snippet) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const write = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    try {
      await import(/* @vite-ignore */ (await runnableFile(snippet)) as string);
      expect(log).toHaveBeenCalled();
    } finally {
      log.mockRestore();
      write.mockRestore();
    }
  });
});

/** The block with the embedded model instead of the reader's, and one of its sample images instead of the reader's. */
async function runnableFile(snippet: Snippet): Promise<string | undefined> {
  const image = (await samples())[0]?.image ?? '';
  const [file] = writeSnippets(join(site, '.cache/run', snippet.file), [snippet], (code) =>
    code
      .replaceAll(/'HuggingFaceTB\/[^']+'|'\.\/my-model'/g, JSON.stringify(modelPath))
      .replaceAll(/'photo\.jpg'/g, JSON.stringify(image)),
  );
  return file;
}
