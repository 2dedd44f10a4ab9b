// Dependencies point one way: cli and examples → agent → transformers → ort-backend → core, onnx; eval → core, onnx. Read from the
// manifests and from the import statements themselves.

import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { root, sourceFiles, type WorkspacePackage, workspacePackages } from './workspace.js';

/** What each package may depend on. Tests and benches may use more: see `inTests`. */
const allowed: Readonly<Record<string, readonly string[] | 'everything'>> = {
  '@mmtok/core': [],
  '@mmtok/onnx': ['@mmtok/core'],
  '@mmtok/tiny-vlm': ['@mmtok/core'],
  '@mmtok/ort-backend': ['@mmtok/core', '@mmtok/onnx'],
  '@mmtok/tfjs-backend': ['@mmtok/core'],
  '@mmtok/transformers': ['@mmtok/core', '@mmtok/onnx', '@mmtok/ort-backend'],
  '@mmtok/agent': ['@mmtok/core', '@mmtok/transformers'],
  '@mmtok/eval': ['@mmtok/core', '@mmtok/onnx'],
  '@mmtok/serve': ['@mmtok/core', '@mmtok/transformers'],
  mmtok: 'everything',
  'mmtok-examples': 'everything',
  'mmtok-playground': 'everything',
  'mmtok-docs': 'everything',
};

/** What the tests and benches of a package may use beside that, as devDependencies. */
const inTests: Readonly<Record<string, readonly string[]>> = {
  '@mmtok/ort-backend': ['@mmtok/tiny-vlm'],
  '@mmtok/transformers': ['@mmtok/tiny-vlm'],
  '@mmtok/agent': ['@mmtok/ort-backend', '@mmtok/tiny-vlm'],
  '@mmtok/eval': ['@mmtok/ort-backend', '@mmtok/tiny-vlm', '@mmtok/transformers'],
  '@mmtok/serve': ['@mmtok/tiny-vlm'],
};

/** What any test may read beside its own package. */
const sharedByTests: readonly string[] = [
  'vitest.shared.js',
  'vitest.temporary.js',
  'transformers/test/tiny-models/index.js',
];

const packages = workspacePackages();
const siblings = new Set(packages.map(({ manifest }) => manifest.name));
const isTest = (path: string): boolean => path.endsWith('.test.ts') || !/^packages\/[^/]+\/src\//.test(path);

/** `'@scope/name/path'` → `'@scope/name'`. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** What a file imports: import and export statements, `import()` and types `import('…')`. */
function importsOf(path: string): readonly string[] {
  const file = ts.createSourceFile(path, readFileSync(join(root, path), 'utf8'), ts.ScriptTarget.Latest);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    const specifier =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined;
    if (specifier !== undefined && ts.isStringLiteral(specifier)) found.push(specifier.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** Sibling packages among `names` that `from` may not use. */
function forbidden(from: string, names: readonly string[], withTests: boolean): readonly string[] {
  const permitted = allowed[from] ?? [];
  if (permitted === 'everything') return [];
  const extra = withTests ? (inTests[from] ?? []) : [];
  return names.filter(
    (name) => siblings.has(name) && name !== from && !permitted.includes(name) && !extra.includes(name),
  );
}

test('every package has its place in the table above', () => {
  expect(Object.keys(allowed).sort()).toEqual([...siblings].sort());
});

describe.each(packages.map((each) => [each.manifest.name, each] as const))(
  '%s',
  (name, { folder, manifest }) => {
    const shipped = { ...manifest.dependencies, ...manifest.peerDependencies };

    test('declares only siblings it may depend on', () => {
      expect(forbidden(name, Object.keys(shipped), false)).toEqual([]);
      expect(forbidden(name, Object.keys(manifest.devDependencies ?? {}), true)).toEqual([]);
    });

    test('imports only what it declares, and no file of another package', () => {
      expect(wrongImports({ folder, manifest })).toEqual([]);
    });
  },
);

function wrongImports({ folder, manifest }: WorkspacePackage): readonly string[] {
  const declared = {
    ...manifest.dependencies,
    ...manifest.peerDependencies,
  };
  const declaredForTests = { ...declared, ...manifest.devDependencies };
  const rootTools = ['vitest', 'fast-check'];
  const problems: string[] = [];
  for (const path of sourceFiles(folder, ['.ts', '.js', '.mjs'])) {
    if (path.startsWith(join(folder, 'dist'))) continue;
    for (const specifier of importsOf(path)) {
      // '#…' is a file of the package itself, chosen by the platform: see "imports" in its package.json.
      if (isBuiltin(specifier) || specifier.startsWith('#')) continue;
      if (specifier.startsWith('.')) {
        const target = relative(join(root, folder), join(root, dirname(path), specifier));
        const isShared = isTest(path) && sharedByTests.includes(target.replaceAll('../', ''));
        if (target.startsWith('..') && !isShared) problems.push(`${path}: ${specifier} leaves the package`);
        continue;
      }
      const name = packageOf(specifier);
      if (name === manifest.name) continue;
      const isDeclared = isTest(path)
        ? name in declaredForTests || rootTools.includes(name)
        : name in declared;
      if (!isDeclared) problems.push(`${path}: ${name} is not declared`);
      if (forbidden(manifest.name, [name], isTest(path)).length > 0)
        problems.push(`${path}: ${name} is forbidden`);
    }
  }
  return problems;
}

/**
 * The folders of a package's sources from bottom to top: a file imports from its own folder and from those below it. Files
 * beside the folders have a layer too.
 */
const layers: Readonly<Record<string, readonly (readonly string[])[]>> = {
  core: [
    ['errors.ts'],
    ['internal'],
    ['backend'],
    ['similarity.ts', 'keywords.ts'],
    ['coverage'],
    ['search'],
    ['selection'],
    ['testing'],
    ['index.ts', 'internal.ts', 'backend.ts'],
  ],
  transformers: [
    ['errors.ts', 'report.ts'],
    ['internal'],
    ['adapters'],
    ['families'],
    ['prompt'],
    ['question'],
    ['select'],
    ['options.ts', 'resolve-options.ts'],
    ['prefill'],
    ['patch'],
    ['prune.ts'],
    ['files'],
    ['vlm'],
    ['plan'],
    ['create-vlm.ts'],
    ['verify'],
    ['index.ts', 'internal.ts', 'verify.ts'],
  ],
  eval: [
    ['errors.ts', 'describe-machine.ts'],
    ['stats'],
    ['data'],
    ['metrics'],
    ['methods'],
    ['tasks'],
    ['runner'],
    ['report'],
    ['speed'],
    ['index.ts', 'internal.ts'],
  ],
  cli: [
    ['terminal'],
    ['errors.ts'],
    ['options.ts', 'safetensors.ts', 'engines', 'images'],
    ['models'],
    ['commands'],
    ['main.ts'],
    ['bin.ts', 'index.ts'],
  ],
};

test.each(Object.entries(layers))('no import between folders of %s goes up', (name, order) => {
  const source = `packages/${name}/src`;
  const levelOf = (path: string): number => {
    const [first = ''] = relative(source, path).split('/');
    return order.findIndex((names) => names.includes(first));
  };
  const upward: string[] = [];
  for (const path of sourceFiles(source, ['.ts'])) {
    if (path.endsWith('.test.ts')) continue;
    expect(levelOf(path), `${path} has a layer`).toBeGreaterThanOrEqual(0);
    for (const specifier of importsOf(path)) {
      if (!specifier.startsWith('.')) continue;
      const target = join(dirname(path), specifier).replace(/\.js$/, '.ts');
      if (levelOf(target) > levelOf(path)) upward.push(`${path} → ${target}`);
    }
  }
  expect(upward).toEqual([]);
});
