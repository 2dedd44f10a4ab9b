// The site: navigation, search without a network, and paths that work under any base.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { decisions } from '../decisions/decisions.js';

const site = join(import.meta.dirname, '..');
const repository = 'https://github.com/mmtok/mmtok';
const hasPlayground = existsSync(join(site, 'public/playground/index.html'));

/** Written by `scripts/reference.mjs`. */
function referenceSidebar(): DefaultTheme.SidebarItem[] {
  const file = join(site, 'reference/typedoc-sidebar.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
}

const guide: DefaultTheme.SidebarItem[] = [
  {
    text: 'Get started',
    items: [
      { text: 'In Node', link: '/guide/node' },
      { text: 'In the browser', link: '/guide/browser' },
      { text: 'In a worker', link: '/guide/worker' },
      { text: 'With Vite and Next.js', link: '/guide/bundlers' },
    ],
  },
  {
    text: 'Prune well',
    items: [
      { text: 'How MMTok works', link: '/guide/how-it-works' },
      { text: 'Budgets', link: '/guide/budgets' },
      { text: 'Which model gains what', link: '/guide/models' },
      { text: 'Terms and selectors', link: '/guide/terms-and-selectors' },
      { text: 'Agents', link: '/guide/agents' },
    ],
  },
  {
    text: 'Run it elsewhere',
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
      { text: 'On a GPU', link: '/results/gpu' },
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
  srcExclude: ['test/**', 'README.md'],
  cacheDir: '.cache/vitepress',
  outDir: 'dist',
  ignoreDeadLinks: false,
  vite: {
    server: { fs: { allow: ['../..'] } },
    build: { chunkSizeWarningLimit: 5_000 },
  },
  markdown: { math: false },
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
      '/reference/': [{ text: 'API reference', link: '/reference/', items: referenceSidebar() }],
    },
    outline: { level: [2, 3] },
    socialLinks: [{ icon: 'github', link: repository }],
    editLink: {
      pattern: ({ filePath }) =>
        filePath.startsWith('decisions/')
          ? `${repository}/tree/main/docs/decisions`
          : `${repository}/edit/main/apps/docs/${filePath}`,
    },
    footer: { message: 'Apache-2.0' },
  },
});
