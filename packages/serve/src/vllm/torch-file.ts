// Tensors in the file format of PyTorch's `torch.save`: a zip of uncompressed entries with a protocol 2 pickle.
// vLLM reads image embeddings and prompt embeddings in this form (`torch.load(…, weights_only=True)`).

import { crc32 } from 'node:zlib';

/** Element types that a vLLM server takes: half precision for rows, `int64` for grids. */
export type TorchDtype = 'bfloat16' | 'float16' | 'float32' | 'int64';

/** Raw little-endian elements; `bfloat16` and `float16` are their 16 bits. */
export interface TorchTensor {
  readonly dtype: TorchDtype;
  readonly data: Uint16Array | Float32Array | BigInt64Array;
  readonly shape: readonly number[];
}

const STORAGES: Readonly<Record<TorchDtype, string>> = {
  bfloat16: 'BFloat16Storage',
  float16: 'HalfStorage',
  float32: 'FloatStorage',
  int64: 'LongStorage',
};

/**
 * The file of one contiguous tensor on the CPU. `torch.load` reads it in every PyTorch since 1.6. The entries hold the same
 * bytes as those of `torch.save`, which also adds an id.
 */
export function toTorchFile({ dtype, data, shape }: TorchTensor): Buffer {
  return storedZip([
    ['archive/data.pkl', pickle(dtype, shape)],
    ['archive/.format_version', Buffer.from('1')],
    ['archive/.storage_alignment', Buffer.from(String(ALIGNMENT))],
    ['archive/byteorder', Buffer.from('little')],
    ['archive/data/0', Buffer.from(data.buffer, data.byteOffset, data.byteLength)],
    ['archive/version', Buffer.from('3\n')],
  ]);
}

const product = (shape: readonly number[]): number => shape.reduce((total, length) => total * length, 1);

/** The pickle of `_rebuild_tensor_v2(storage, 0, shape, strides, False, OrderedDict())`, as Python writes it. */
function pickle(dtype: TorchDtype, shape: readonly number[]): Buffer {
  const parts: Buffer[] = [Buffer.from([0x80, 2])];
  let memos = 0;
  const put = (...bytes: number[]): void => {
    parts.push(Buffer.from(bytes));
  };
  // Python memoizes every string, class, and tuple under the next number: BINPUT.
  const remember = (): void => put(0x71, memos++);
  const globalName = (module: string, name: string): void => {
    parts.push(Buffer.from(`c${module}\n${name}\n`));
    remember();
  };
  const text = (value: string): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    parts.push(Buffer.from('X'), length, Buffer.from(value));
    remember();
  };
  const integer = (value: number): void => {
    if (value < 0x100) put(0x4b, value);
    else if (value < 0x10000) put(0x4d, value & 0xff, value >> 8);
    else put(0x4a, ...new Uint8Array(Int32Array.of(value).buffer));
  };
  const integers = (values: readonly number[]): void => {
    for (const value of values) integer(value);
    put(0x84 + values.length); // TUPLE1 0x85, TUPLE2 0x86, TUPLE3 0x87
    remember();
  };

  globalName('torch._utils', '_rebuild_tensor_v2');
  put(0x28, 0x28);
  text('storage');
  globalName('torch', STORAGES[dtype]);
  text('0');
  text('cpu');
  integer(product(shape));
  put(0x74);
  remember();
  put(0x51); // BINPERSID: the storage is the entry data/0
  integer(0);
  integers(shape);
  integers(shape.map((_, axis) => product(shape.slice(axis + 1))));
  put(0x89); // requires_grad: False
  globalName('collections', 'OrderedDict');
  put(0x29, 0x52);
  remember();
  put(0x74);
  remember();
  put(0x52);
  remember();
  put(0x2e);
  return Buffer.concat(parts);
}

const ALIGNMENT = 64;

/** A zip of uncompressed entries whose contents start at multiples of 64 bytes, as PyTorch lays them out. */
function storedZip(entries: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of entries) {
    const checksum = crc32(content);
    // An extra field is a header of four bytes and its content; PyTorch calls its padding 'FB'.
    const start = offset + 30 + name.length + 4;
    const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT;
    const local = Buffer.alloc(30 + name.length + 4 + padding, 'Z');
    local.writeUInt32LE(0x04034b50, 0);
    commonHeader(local, 4, checksum, content.length, name.length);
    local.writeUInt16LE(4 + padding, 28);
    local.write(name, 30, 'latin1');
    local.write('FB', 30 + name.length, 'latin1');
    local.writeUInt16LE(padding, 30 + name.length + 2);
    const central = Buffer.alloc(46 + name.length);
    central.writeUInt32LE(0x02014b50, 0);
    commonHeader(central, 6, checksum, content.length, name.length);
    central.writeUInt32LE(offset, 42);
    central.write(name, 46, 'latin1');
    files.push(local, content);
    directory.push(central);
    offset += local.length + content.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, ...directory, end]);
}

/** The fields that a zip's local header and its directory entry share, from the version to the name length. */
function commonHeader(header: Buffer, at: number, checksum: number, size: number, nameLength: number): void {
  header.fill(0, at, at + 26);
  header.writeUInt16LE(20, at); // zip 2.0
  header.writeUInt16LE(0x21, at + 8); // 1980-01-01
  header.writeUInt32LE(checksum, at + 10);
  header.writeUInt32LE(size, at + 14);
  header.writeUInt32LE(size, at + 18);
  header.writeUInt16LE(nameLength, at + 22);
}
