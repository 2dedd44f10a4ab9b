// Puts what the page fetches into `public/`: the embedded model, its samples, and ONNX Runtime's WebAssembly, so that the app
// works offline and loads nothing from other hosts.
import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);
const publicFolder = join(import.meta.dirname, '../public');

const tinyVlm = dirname(require.resolve('@mmtok/tiny-vlm/package.json'));
for (const folder of ['model', 'samples']) {
  cpSync(join(tinyVlm, folder), join(publicFolder, 'tiny-vlm', folder), { recursive: true });
}

// The copy that transformers.js depends on. `asyncify` is the build with WebGPU.
const library = createRequire(require.resolve('@huggingface/transformers'));
const runtime = dirname(library.resolve('onnxruntime-web'));
mkdirSync(join(publicFolder, 'ort'), { recursive: true });
for (const name of ['ort-wasm-simd-threaded.asyncify.mjs', 'ort-wasm-simd-threaded.asyncify.wasm']) {
  cpSync(join(runtime, name), join(publicFolder, 'ort', name));
}
