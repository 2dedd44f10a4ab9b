import { defaultClientConditions, defineConfig } from 'vite';

// Pages with these headers may share memory between threads, so that WebAssembly can use several.
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

export default defineConfig({
  base: './',
  // ONNX Runtime's WebAssembly comes from `public/ort`; without this condition Vite would emit a second copy of it.
  resolve: { conditions: ['onnxruntime-web-use-extern-wasm', ...defaultClientConditions] },
  worker: { format: 'es' },
  build: { target: 'es2022', chunkSizeWarningLimit: 2000 },
  server: { headers },
  preview: { headers },
});
