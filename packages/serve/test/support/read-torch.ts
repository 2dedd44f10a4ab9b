// Reads back what toTorchFile writes and torch.save writes: the entries of a stored zip, and the pickle of one tensor.

/** Contents of an uncompressed zip by name, without the common folder. */
export function readZip(file: Buffer): Map<string, Buffer> {
  const end = file.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('not a zip');
  const entries = new Map<string, Buffer>();
  let at = file.readUInt32LE(end + 16);
  for (let left = file.readUInt16LE(end + 10); left > 0; left--) {
    if (file.readUInt32LE(at) !== 0x02014b50 || file.readUInt16LE(at + 10) !== 0)
      throw new Error('not stored');
    const size = file.readUInt32LE(at + 20);
    const nameLength = file.readUInt16LE(at + 28);
    const name = file.toString('latin1', at + 46, at + 46 + nameLength);
    const local = file.readUInt32LE(at + 42);
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    entries.set(name.slice(name.indexOf('/') + 1), file.subarray(start, start + size));
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return entries;
}

/** A tensor as the server reads it. */
export interface ReadTensor {
  readonly storage: string;
  readonly shape: readonly number[];
  readonly data: Buffer;
}

/** @throws if the file is not a tensor in the form that `torch.load(weights_only=True)` takes. */
export function readTorchFile(file: Buffer): ReadTensor {
  const entries = readZip(file);
  const pickle = entries.get('data.pkl');
  const data = entries.get('data/0');
  if (pickle === undefined || data === undefined || entries.get('byteorder')?.toString() !== 'little') {
    throw new Error('an entry is missing');
  }
  const [, storage = ''] = /ctorch\n(\w+)\n/.exec(pickle.toString('latin1')) ?? [];
  // After the storage (BINPERSID 'Q') come the offset 0 and the shape, up to the TUPLE of its length.
  let at = pickle.indexOf('Q', pickle.indexOf('cpu')) + 1;
  const shape: number[] = [];
  const numbers: number[] = [];
  for (;;) {
    const code = pickle[at];
    if (code === 0x4b) numbers.push(pickle.readUInt8(at + 1));
    else if (code === 0x4d) numbers.push(pickle.readUInt16LE(at + 1));
    else if (code === 0x4a) numbers.push(pickle.readInt32LE(at + 1));
    else break;
    at += code === 0x4b ? 2 : code === 0x4d ? 3 : 5;
  }
  shape.push(...numbers.slice(1));
  const width = { BFloat16Storage: 2, HalfStorage: 2, FloatStorage: 4, LongStorage: 8 }[storage];
  const count = shape.reduce((product, length) => product * length, 1);
  if (numbers[0] !== 0 || width === undefined || data.length !== count * width)
    throw new Error('a wrong size');
  return { storage, shape, data };
}
