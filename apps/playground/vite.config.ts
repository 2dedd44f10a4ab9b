// The playground's build: everything it needs lies in the output, under relative paths.
import { defaultClientConditions, defineConfig } from 'vite';
import { siteFiles } from './scripts/site-files.js';

const isolated = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  // Packages of this repository come from their sources, so nothing is built before; ONNX Runtime leaves its WebAssembly
  // files to us.
  resolve: {
    conditions: ['@mmtok/source', 'onnxruntime-web-use-extern-wasm', ...defaultClientConditions],
  },
  plugins: [siteFiles()],
  worker: { format: 'es' },
  build: { target: 'es2023', modulePreload: false, chunkSizeWarningLimit: 1500 },
  server: { headers: isolated },
  preview: { headers: isolated },
});
