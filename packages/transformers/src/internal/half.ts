// Half-precision numbers as the 16 bits that ONNX Runtime takes, for runtimes without Float16Array such as Node 20.

const bits = new Uint32Array(1);
const value = new Float32Array(bits.buffer);

/** The 16 bits of the half-precision number nearest to a number; ties go to even, too large ones to infinity. */
export function floatToHalf(number: number): number {
  value[0] = number;
  const word = bits[0] as number;
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude < 0x38800000) {
    // Below 2^-14 halves are whole multiples of 2^-24.
    return sign | roundToEven(Math.abs(value[0] as number) * 2 ** 24);
  }
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x38000000) >>> 13);
}

function roundToEven(number: number): number {
  const floor = Math.floor(number);
  const rest = number - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}

/** The half-precision bits of many numbers. */
export function toHalves(numbers: Float32Array): Uint16Array {
  return Uint16Array.from(numbers, floatToHalf);
}
