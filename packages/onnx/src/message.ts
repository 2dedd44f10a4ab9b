// A protobuf message as a list of byte pieces, so that large payloads are nested without being copied. Not a protobuf library.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** The pieces of a message in order. Payloads are views on the caller's memory. */
export type Pieces = readonly Uint8Array[];

/** Length of a message in bytes. */
export function byteLength(pieces: Pieces): number {
  return pieces.reduce((total, piece) => total + piece.byteLength, 0);
}

/** A message, or payload, as length-delimited field `field` of its parent. */
export function nested(field: number, pieces: Pieces): Uint8Array[] {
  const head = new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(byteLength(pieces)).finish();
  return [head, ...pieces];
}

/** Fields that a function writes with a `BinaryWriter`, as one piece. */
export function fields(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

/** A string field. */
export function string(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

/** An integer field: int32, int64, enum. */
export function int(writer: BinaryWriter, field: number, value: number | bigint): void {
  writer.tag(field, WireType.Varint).int64(typeof value === 'bigint' ? value.toString() : value);
}

/** A float field. */
export function float(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Bit32).float(value);
}

/** All pieces in one buffer: the only copy that a payload goes through. */
export function join(pieces: Pieces): Uint8Array {
  const bytes = new Uint8Array(byteLength(pieces));
  let position = 0;
  for (const piece of pieces) {
    bytes.set(piece, position);
    position += piece.byteLength;
  }
  return bytes;
}
