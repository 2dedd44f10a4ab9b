// What the page fetches besides its own code: the embedded model, its samples, and ONNX Runtime's WebAssembly. Served in
// development, copied into the build.
import { cpSync, createReadStream, mkdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import type { Plugin } from 'vite';

const require = createRequire(import.meta.url);
const tinyVlm = dirname(require.resolve('@mmtok/tiny-vlm/package.json'));

/** The folder of the ONNX Runtime that transformers.js loads in browsers. */
function onnxruntimeWeb(): string {
  const library = createRequire(require.resolve('@huggingface/transformers'));
  return dirname(library.resolve('onnxruntime-web'));
}

/** The plain build runs on WebAssembly alone and is half the size; the other one has WebGPU as well. */
const runtimes = ['ort-wasm-simd-threaded', 'ort-wasm-simd-threaded.asyncify'];

const configFiles = [
  'config.json',
  'generation_config.json',
  'preprocessor_config.json',
  'processor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
];

/** The embedded models by their folders, with the endings of their weights. A page fetches only the one in use. */
const models = { model: '', 'model-tiled': '_fp16' };

const weightFiles = ['decoder_model_merged', 'embed_tokens', 'vision_encoder'];

/** Source files by their paths within the site. */
function fetchedFiles(): ReadonlyMap<string, string> {
  const samples = ['questions.jsonl', ...Array.from({ length: 6 }, (_, scene) => `${scene}.png`)];
  const embedded = [
    ...Object.entries(models).flatMap(([folder, ending]) =>
      [...configFiles, ...weightFiles.map((name) => `onnx/${name}${ending}.onnx`)].map(
        (name) => `${folder}/${name}`,
      ),
    ),
    ...['samples', 'samples-tiled'].flatMap((folder) => samples.map((name) => `${folder}/${name}`)),
  ];
  return new Map([
    ...embedded.map((name) => [`tiny-vlm/${name}`, join(tinyVlm, name)] as const),
    ...runtimes
      .flatMap((name) => [`${name}.mjs`, `${name}.wasm`])
      .map((name) => [`ort/${name}`, join(onnxruntimeWeb(), name)] as const),
  ]);
}

const TYPES: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
};

/** The Vite plugin that serves or copies them. */
export function siteFiles(): Plugin {
  let outDir = '';
  return {
    name: 'site-files',
    configResolved(config) {
      outDir = resolve(config.root, config.build.outDir);
    },
    configureServer(server) {
      const files = fetchedFiles();
      server.middlewares.use((request, response, next) => {
        const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
        const file = files.get(path);
        if (file === undefined) return next();
        response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
        for (const [header, value] of Object.entries(server.config.server.headers ?? {})) {
          if (value !== undefined) response.setHeader(header, value);
        }
        response.setHeader('content-length', statSync(file).size);
        createReadStream(file).pipe(response);
      });
    },
    writeBundle() {
      for (const [path, file] of fetchedFiles()) {
        const target = join(outDir, path);
        mkdirSync(dirname(target), { recursive: true });
        cpSync(file, target);
      }
    },
  };
}
