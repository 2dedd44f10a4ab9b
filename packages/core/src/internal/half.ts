// 16-bit floats as bits in unsigned 16-bit integers: IEEE half precision and bfloat16. Node 20 has no Float16Array, and no runtime
// has bfloat16.

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

/** The value of a half-precision number from its 16 bits. */
export function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * 2 ** -24 * fraction;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** The bits of the half-precision number nearest to a 32-bit float. Ties go to even, overflow to infinity. */
export function floatToHalf(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14, halves are integer multiples of 2^-24.
    return sign | roundToEven(Math.abs(float[0] as number) * 2 ** 24);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** The value of a bfloat16 number from its 16 bits. */
export function bfloat16ToFloat(bits: number): number {
  word[0] = bits << 16;
  return float[0] as number;
}

/** The bits of the bfloat16 number nearest to a 32-bit float. Ties go to even. */
export function floatToBfloat16(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

let halfValues: Float32Array | undefined;

/** Converts half-precision numbers to 32-bit floats. */
export function halvesToFloats(halves: Uint16Array): Float32Array {
  halfValues ??= Float32Array.from({ length: 65536 }, (_, bits) => halfToFloat(bits));
  const table = halfValues;
  const floats = new Float32Array(halves.length);
  for (let i = 0; i < floats.length; i++) floats[i] = table[halves[i] as number] as number;
  return floats;
}

/** Converts numbers to half-precision bits. */
export function floatsToHalves(floats: Float32Array): Uint16Array {
  return Uint16Array.from(floats, floatToHalf);
}

/** Converts bfloat16 numbers to 32-bit floats. */
export function bfloat16sToFloats(bits: Uint16Array): Float32Array {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < words.length; i++) words[i] = (bits[i] as number) << 16;
  return new Float32Array(words.buffer);
}
