// Assembles wasm/gain.wat and writes its bytes into src/search/objective.ts. Run after editing the .wat.
import { readFile, writeFile } from 'node:fs/promises';
import wabt from 'wabt';

const source = new URL('../wasm/gain.wat', import.meta.url);
const target = new URL('../src/search/objective.ts', import.meta.url);

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
  const constant = /(?<=export const GAIN_MODULE: string =\n)[^;]*/;
  await writeFile(target, (await readFile(target, 'utf8')).replace(constant, lines.join(' +\n')));
}
