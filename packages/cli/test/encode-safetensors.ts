// Writes valid and broken safetensors files for tests.

/** A tensor as raw little-endian bytes. */
export interface RawTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** A valid file of these tensors. */
export function encodeSafetensors(tensors: Readonly<Record<string, RawTensor>>): Uint8Array {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, bytes }]) => {
      const begin = end;
      end += bytes.length;
      return [name, { dtype, shape, data_offsets: [begin, end] }];
    }),
  );
  const data = Object.values(tensors).map(({ bytes }) => bytes);
  return fileOf(JSON.stringify({ __metadata__: { format: 'pt' }, ...header }), Buffer.concat(data));
}

/** A file with any header and any data. */
export function fileOf(header: string, data: Uint8Array = new Uint8Array()): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), data]);
}

/** A matrix of float32. */
export function f32(values: ArrayLike<number>, shape: readonly number[]): RawTensor {
  const { buffer } = Float32Array.from(values);
  return { dtype: 'F32', shape, bytes: new Uint8Array(buffer) };
}
