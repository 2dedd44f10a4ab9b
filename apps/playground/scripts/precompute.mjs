// Computes the examples that the page's first view shows, in Node, and writes them to src/precomputed. Run it after the
// embedded model, its samples or a method has changed: pnpm --filter mmtok-playground precompute [sample: 5, signs/, signs/3]

import { join } from 'node:path';
import { createServer } from 'vite';

const root = join(import.meta.dirname, '..');
const conditions = ['@mmtok/source', 'module', 'node', 'development|production'];
const server = await createServer({
  root,
  configFile: false,
  logLevel: 'warn',
  server: { middlewareMode: true, hmr: false, ws: false },
  optimizeDeps: { noDiscovery: true },
  ssr: { noExternal: [/^@mmtok\//], resolve: { conditions, externalConditions: ['node'] } },
});
try {
  const { precompute } = await server.ssrLoadModule('/scripts/precompute.ts');
  await precompute(join(root, 'src/precomputed'), process.argv[2]);
} finally {
  await server.close();
}
