// The site: navigation, offline search, and paths that work under any base.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { decisions } from '../decisions/decisions.js';

const site = join(import.meta.dirname, '..');
const repository = 'https://github.com/mmtok/mmtok';
const hasPlayground = existsSync(join(site, 'public/playground/index.html'));

/** One sidebar per entry point, which keeps pages small. `scripts/reference.mjs` writes the lists. */
function referenceSidebars(): DefaultTheme.SidebarMulti {
  const file = join(site, 'reference/typedoc-sidebar.json');
  const modules: (DefaultTheme.SidebarItem & { readonly link: string })[] = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : [];
  const list = modules.map(({ text, link }) => ({ text, link }));
  // A group that folds is a button in a button in VitePress's theme, which screen readers cannot tell apart.
  const unfolded = (items: DefaultTheme.SidebarItem[] = []): DefaultTheme.SidebarItem[] =>
    items.map(({ collapsed: _, ...item }) => ({
      ...item,
      ...(item.items && { items: unfolded(item.items) }),
    }));
  const sidebar = (own: string | undefined): DefaultTheme.SidebarItem[] => [
    {
      text: 'API reference',
      link: '/reference/',
      items: list.map((one, at) =>
        one.link === own ? { ...one, items: unfolded(modules[at]?.items) } : one,
      ),
    },
  ];
  return Object.fromEntries([
    ['/reference/', sidebar(undefined)],
    ...modules.map(({ link }) => [link, sidebar(link)] as const),
  ]);
}

const guide: DefaultTheme.SidebarItem[] = [
  {
    text: 'Get started',
    items: [
      { text: 'In Node', link: '/guide/node' },
      { text: 'In the browser', link: '/guide/browser' },
      { text: 'In a worker', link: '/guide/worker' },
      { text: 'With Vite and Next.js', link: '/guide/bundlers' },
      { text: 'Supported families', link: '/guide/supported-models' },
      { text: 'Use your own model', link: '/guide/your-model' },
    ],
  },
  {
    text: 'Prune vision tokens',
    items: [
      { text: 'How MMTok works', link: '/guide/how-it-works' },
      { text: 'Budgets', link: '/guide/budgets' },
      { text: 'Which model gains what', link: '/guide/models' },
      { text: 'Terms and selectors', link: '/guide/terms-and-selectors' },
      { text: 'Agents', link: '/guide/agents' },
    ],
  },
  {
    text: 'Run, serve, evaluate',
    items: [
      { text: 'Backends', link: '/guide/backends' },
      { text: 'Write a backend', link: '/guide/write-a-backend' },
      { text: 'Serve a model', link: '/guide/serving' },
      { text: 'Evaluate', link: '/guide/evaluation' },
      { text: 'Example apps', link: '/guide/examples' },
    ],
  },
];

const results: DefaultTheme.SidebarItem[] = [
  {
    text: 'Results',
    items: [
      { text: 'Accuracy and speed', link: '/results/' },
      { text: 'Every method', link: '/results/methods' },
      { text: 'What the encoder costs', link: '/results/encoder' },
      { text: 'On a GPU', link: '/results/gpu' },
      { text: 'Serving', link: '/results/serving' },
      { text: 'With an agent', link: '/results/agents' },
    ],
  },
];

const contributing: DefaultTheme.SidebarItem[] = [
  { text: 'Contributing', items: [{ text: 'Architecture', link: '/contributing/architecture' }] },
  {
    text: 'Decisions',
    items: decisions().map(({ slug, title }) => ({ text: title, link: `/decisions/${slug}` })),
  },
];

export default defineConfig({
  title: 'MMTok',
  description: 'Vision-token pruning for transformers.js, ONNX Runtime, and TensorFlow.js',
  lang: 'en-US',
  // GitHub Pages serves the site under the repository's name.
  base: process.env.DOCS_BASE ?? '/',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  // Skip the playground page if no playground was built.
  srcExclude: ['test/**', 'README.md', ...(hasPlayground ? [] : ['playground.md'])],
  transformPageData(page) {
    // These pages are generated.
    if (/^(reference|decisions)\//.test(page.relativePath)) page.frontmatter.editLink = false;
  },
  cacheDir: '.cache/vitepress',
  // The navigation is the same on every page: one file for all, instead of a copy in each.
  metaChunk: true,
  outDir: 'dist',
  ignoreDeadLinks: false,
  vite: {
    server: { fs: { allow: ['../..'] } },
    build: { chunkSizeWarningLimit: 5_000 },
  },
  markdown: {
    math: false,
    // Themes whose comments and keywords have enough contrast.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-default' },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Guide', link: '/guide/node', activeMatch: '/guide/' },
      { text: 'API', link: '/reference/', activeMatch: '/reference/' },
      { text: 'Results', link: '/results/', activeMatch: '/results/' },
      { text: 'Contributing', link: '/contributing/architecture', activeMatch: '/(contributing|decisions)/' },
      ...(hasPlayground ? [{ text: 'Playground', link: '/playground' }] : []),
    ],
    sidebar: {
      '/guide/': guide,
      '/results/': results,
      '/contributing/': contributing,
      '/decisions/': contributing,
      ...referenceSidebars(),
    },
    outline: { level: [2, 3] },
    socialLinks: [{ icon: 'github', link: repository }],
    editLink: { pattern: `${repository}/edit/main/apps/docs/:path` },
    footer: { message: 'Apache-2.0' },
  },
});
