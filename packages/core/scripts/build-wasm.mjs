// Assembles wasm/gain.wat and writes its bytes into src/search/gain-module.ts. Run after editing the .wat.
import { readFile, writeFile } from 'node:fs/promises';
import wabt from 'wabt';

const source = new URL('../wasm/gain.wat', import.meta.url);
const target = new URL('../src/search/gain-module.ts', import.meta.url);

/** The bytes of wasm/gain.wat. */
export async function assemble() {
  const { parseWat } = await wabt();
  const module = parseWat('gain.wat', await readFile(source, 'utf8'), { simd: true });
  const { buffer } = module.toBinary({});
  module.destroy();
  return Buffer.from(buffer);
}

if (process.argv[1] === import.meta.filename) {
  const base64 = (await assemble()).toString('base64');
  const lines = base64.match(/.{1,100}/g).map((line) => `  '${line}'`);
  await writeFile(
    target,
    [
      '// The bytes of wasm/gain.wat, written by scripts/build-wasm.mjs. Do not edit by hand.',
      '',
      '/** The WebAssembly module of the gain evaluator, in base64. */',
      `export const GAIN_MODULE: string =\n${lines.join(' +\n')};`,
      '',
    ].join('\n'),
  );
}
