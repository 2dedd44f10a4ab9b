// The API reference: TypeDoc over every public entry point of every package, as Markdown for VitePress. All entry points are
// one program, so that what a package re-exports links to where it is declared.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Application, Converter, ReflectionKind } from 'typedoc';

const docs = join(import.meta.dirname, '..');
const root = join(docs, '../..');

/** Entry points for other packages of the repository, or that repeat another. */
const UNSTABLE = ['./internal', './package.json'];

/** The source file of an export, or undefined where it has none. */
function sourceOf(target) {
  if (typeof target === 'string') return undefined;
  return target['@mmtok/source'] ?? (target.node && sourceOf(target.node));
}

/** Every public entry point: its name as users import it, and its source. */
async function entryPoints() {
  const found = [];
  for (const folder of (await readdir(join(root, 'packages'))).sort()) {
    const text = await readFile(join(root, 'packages', folder, 'package.json'), 'utf8').catch(
      () => undefined,
    );
    if (text === undefined) continue;
    const { name, exports = {} } = JSON.parse(text);
    for (const [path, target] of Object.entries(exports)) {
      const source = sourceOf(target);
      if (source === undefined || UNSTABLE.includes(path)) continue;
      found.push({ name: join(name, path), file: join(root, 'packages', folder, source) });
    }
  }
  return found;
}

/**
 * Writes `reference/`.
 * @throws Error if something exported has no doc comment, or a link of a doc comment leads nowhere.
 */
export async function prepareReference() {
  const modules = await entryPoints();
  const packages = modules.map(({ name }) => name.split('/', name.startsWith('@') ? 2 : 1).join('/'));
  const out = join(docs, 'reference');
  await rm(out, { recursive: true, force: true });
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    entryPoints: modules.map(({ file }) => file),
    tsconfig: join(docs, 'tsconfig.reference.json'),
    basePath: root,
    out,
    docsRoot: docs,
    name: 'API reference',
    readme: 'none',
    githubPages: false,
    hideGenerator: true,
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    // Links to what is not public become plain code.
    externalSymbolLinkMappings: Object.fromEntries(['*', ...packages].map((name) => [name, { '*': '#' }])),
    skipErrorChecking: true,
    requiredToBeDocumented: ['Class', 'Function', 'Interface', 'TypeAlias', 'Variable', 'Enum'],
    validation: { notDocumented: true, invalidLink: true, notExported: false, rewrittenLink: true },
    treatValidationWarningsAsErrors: true,
    logLevel: 'Warn',
    entryFileName: 'index',
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    typeDeclarationFormat: 'table',
    expandObjects: false,
    useCodeBlocks: true,
    hidePageHeader: true,
    sidebar: { autoConfiguration: true, format: 'vitepress', collapsed: true },
  });
  // Modules are called what users import.
  const names = new Map(modules.map(({ file, name }) => [file, name]));
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    if (!reflection.kindOf(ReflectionKind.Module)) return;
    const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
    const name = names.get(declaration?.getSourceFile().fileName);
    if (name !== undefined) reflection.name = name;
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('TypeDoc could not read the packages.');
  app.validate(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('The API reference has problems, listed above. Add or fix the doc comments named there.');
  await app.generateOutputs(project);
  return { modules };
}
