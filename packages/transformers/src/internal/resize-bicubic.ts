// Bicubic resizing that matches Pillow exactly, because the Hugging Face and LLaVA processors resize with Pillow. Other libraries
// differ in the last bits, which can change a model's answer. Rows are resized before columns, as in all Pillow versions before
// 13.

/** Pixels with three channels, row by row. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

const CHANNELS = 3;
/** Number of fractional bits in Pillow's coefficients. */
const PRECISION = 22;
const SUPPORT = 2;

/** The Keys cubic convolution kernel with a = −1/2. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < SUPPORT ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** How to compute one output pixel of a line: integer `weights` for the input pixels starting at `first`. */
interface Window {
  readonly first: number;
  readonly weights: Int32Array;
}

function windowsOf(from: number, to: number): Window[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = SUPPORT * stretch;
  return Array.from({ length: to }, (_, at) => {
    const center = (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const raw = Array.from({ length: end - first }, (_, x) =>
      cubic((x + first - center + 0.5) * (1 / stretch)),
    );
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    const rounded = (weight: number): number => {
      const scaled = (weight / total) * 2 ** PRECISION;
      return Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5));
    };
    return { first, weights: Int32Array.from(raw, rounded) };
  });
}

/**
 * Resizes one axis: `lines` lines of pixels, with an offset of `step` values between pixels and `stride` values between lines.
 */
function resizeAxis(
  source: RgbImage['data'],
  target: Uint8ClampedArray,
  windows: readonly Window[],
  lines: number,
  [step, stride]: readonly [number, number],
  [targetStep, targetStride]: readonly [number, number],
): void {
  const half = 2 ** (PRECISION - 1);
  windows.forEach(({ first, weights }, at) => {
    for (let line = 0; line < lines; line++) {
      for (let channel = 0; channel < CHANNELS; channel++) {
        let sum = half;
        let from = line * stride + first * step + channel;
        for (let x = 0; x < weights.length; x++) {
          sum += (source[from] as number) * (weights[x] as number);
          from += step;
        }
        target[line * targetStride + at * targetStep + channel] = sum >> PRECISION;
      }
    }
  });
}

/** Resizes an image like Pillow's `Image.resize((width, height), Image.BICUBIC)`. */
export function resizeBicubic(image: RgbImage, width: number, height: number): RgbImage {
  let { data } = image;
  if (width !== image.width) {
    const target = new Uint8ClampedArray(width * image.height * CHANNELS);
    const [stride, targetStride] = [image.width * CHANNELS, width * CHANNELS];
    resizeAxis(
      data,
      target,
      windowsOf(image.width, width),
      image.height,
      [CHANNELS, stride],
      [CHANNELS, targetStride],
    );
    data = target;
  }
  if (height !== image.height) {
    const target = new Uint8ClampedArray(width * height * CHANNELS);
    const step = width * CHANNELS;
    resizeAxis(data, target, windowsOf(image.height, height), width, [step, CHANNELS], [step, CHANNELS]);
    data = target;
  }
  return { width, height, data };
}
