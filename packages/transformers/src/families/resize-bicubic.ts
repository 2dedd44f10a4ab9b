// Bicubic resizing with the numbers of Pillow, with which Hugging Face's and LLaVA's processors resize: other libraries differ
// in the last bits, and so may a model's answers. Lines come before columns, as in every Pillow before 13.

/** Pixels with three channels, row by row. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint8ClampedArray;
}

const CHANNELS = 3;
/** Bits after the point of Pillow's coefficients. */
const PRECISION = 22;
const SUPPORT = 2;

/** Keys' cubic convolution with a = −1/2. */
function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < SUPPORT ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** What one output pixel of a line is made of: `weights`, as integers, of the input pixels from `first` on. */
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
 * Resizes one axis: `lines` lines of pixels, each `step` numbers from pixel to pixel and `stride` from line to line.
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

/** The image in another size, as `Image.resize((width, height), Image.BICUBIC)` of Pillow has it. */
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
