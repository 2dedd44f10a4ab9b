// The images for a verification: simple scenes, drawn here, so that nothing has to be downloaded.

import type { RawImage } from '@huggingface/transformers';
import type { Library } from '../internal/types.js';

/** What a question asks for. Different kinds need different numbers of vision tokens. */
export type QuestionKind = 'shape' | 'detail' | 'counting' | 'reading' | 'other';

/** An image and a question about it. */
export interface VerifyImage {
  readonly name: string;
  readonly kind: QuestionKind;
  readonly image: RawImage;
  readonly question: string;
}

type Color = readonly [red: number, green: number, blue: number];

const WHITE: Color = [245, 245, 240];
const GREY: Color = [120, 124, 130];
const SKY: Color = [150, 190, 225];
const RED: Color = [205, 40, 40];
const GREEN: Color = [40, 150, 70];
const BLUE: Color = [45, 80, 190];
const YELLOW: Color = [240, 200, 40];
const BLACK: Color = [20, 20, 25];

/** Five columns by seven rows per digit, one number per row. */
const DIGITS: Readonly<Record<string, readonly number[]>> = {
  '0': [14, 17, 19, 21, 25, 17, 14],
  '1': [4, 12, 4, 4, 4, 4, 14],
  '4': [2, 6, 10, 18, 31, 2, 2],
  '7': [31, 1, 2, 4, 8, 8, 8],
};

/** An image being drawn. Positions and sizes are shares of its width and height, so scenes fit any size. */
class Canvas {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;

  constructor(width: number, height: number, background: Color) {
    this.width = width;
    this.height = height;
    this.data = new Uint8ClampedArray(width * height * 3);
    this.paint(background, () => true);
  }

  private paint(color: Color, isInside: (x: number, y: number) => boolean): void {
    const [red, green, blue] = color;
    for (let y = 0, at = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++, at += 3) {
        if (!isInside((x + 0.5) / this.width, (y + 0.5) / this.height)) continue;
        this.data[at] = red;
        this.data[at + 1] = green;
        this.data[at + 2] = blue;
      }
    }
  }

  box(color: Color, left: number, top: number, right: number, bottom: number): void {
    this.paint(color, (x, y) => x >= left && x < right && y >= top && y < bottom);
  }

  /** A circle whose radius is a share of the height. */
  circle(color: Color, centerX: number, centerY: number, radius: number): void {
    const stretch = this.width / this.height;
    this.paint(color, (x, y) => ((x - centerX) * stretch) ** 2 + (y - centerY) ** 2 <= radius ** 2);
  }

  /** A triangle that stands on its base. */
  triangle(color: Color, centerX: number, top: number, bottom: number, halfBase: number): void {
    this.paint(color, (x, y) => {
      const depth = (y - top) / (bottom - top);
      return depth >= 0 && depth <= 1 && Math.abs(x - centerX) <= halfBase * depth;
    });
  }

  digits(color: Color, text: string, left: number, top: number, right: number, bottom: number): void {
    const columns = text.length * 6 - 1;
    this.paint(color, (x, y) => {
      const column = Math.floor(((x - left) / (right - left)) * columns);
      const line = Math.floor(((y - top) / (bottom - top)) * 7);
      if (column < 0 || column >= columns || column % 6 === 5) return false;
      const bits = DIGITS[text[Math.floor(column / 6)] ?? '']?.[line] ?? 0;
      return (bits & (16 >> (column % 6))) !== 0;
    });
  }
}

/**
 * The images that `verifyVlm` asks about: shapes, a small detail, a wide image with things to count, and a number to read.
 * @param height of the images, in pixels. @default 448
 */
export function verifyImages({ RawImage: Image }: Pick<Library, 'RawImage'>, height = 448): VerifyImage[] {
  const drawn = (
    name: string,
    kind: QuestionKind,
    question: string,
    background: Color,
    aspect: number,
    draw: (canvas: Canvas) => void,
  ): VerifyImage => {
    const canvas = new Canvas(Math.round(height * aspect), height, background);
    draw(canvas);
    return { name, kind, question, image: new Image(canvas.data, canvas.width, canvas.height, 3) };
  };
  return [
    drawn('shapes', 'shape', 'What shape is red?', WHITE, 1, (canvas) => {
      canvas.circle(RED, 0.27, 0.3, 0.18);
      canvas.box(BLUE, 0.58, 0.14, 0.88, 0.44);
      canvas.triangle(GREEN, 0.5, 0.56, 0.92, 0.22);
    }),
    drawn('small thing', 'detail', 'What color is the small square?', GREY, 1, (canvas) => {
      canvas.box(YELLOW, 0.74, 0.66, 0.82, 0.74);
    }),
    drawn('wide', 'counting', 'How many circles are in the picture?', SKY, 2, (canvas) => {
      for (const [x, y] of [
        [0.12, 0.35],
        [0.38, 0.6],
        [0.62, 0.3],
        [0.87, 0.68],
      ] as const)
        canvas.circle(RED, x, y, 0.17);
      canvas.box(GREEN, 0, 0.92, 1, 1);
    }),
    drawn('number', 'reading', 'Which number is written here?', WHITE, 1, (canvas) => {
      canvas.digits(BLACK, '4071', 0.2, 0.42, 0.8, 0.6);
    }),
  ];
}

/** Positions of the blocks that differ in copies of an image, as shares of its sides: none mirrors another. */
const BLOCKS = [
  [0.08, 0.12],
  [0.55, 0.06],
  [0.8, 0.37],
  [0.31, 0.52],
  [0.12, 0.82],
  [0.66, 0.74],
] as const;
const BLOCK_SIDE = 0.14;

/** Copies of an image, each with the colors of one block inverted. */
export function changedCopies(image: RawImage): RawImage[] {
  const { width, height, channels } = image;
  return BLOCKS.map(([left, top]) => {
    const copy = image.clone();
    const [firstX, firstY] = [Math.floor(left * width), Math.floor(top * height)];
    const lastX = Math.max(firstX, Math.floor((left + BLOCK_SIDE) * width) - 1);
    const lastY = Math.max(firstY, Math.floor((top + BLOCK_SIDE) * height) - 1);
    for (let y = firstY; y <= lastY; y++) {
      const [from, to] = [y * width + firstX, y * width + lastX + 1].map((pixel) => pixel * channels);
      for (let at = from as number; at < (to as number); at++)
        copy.data[at] = 255 - (copy.data[at] as number);
    }
    return copy;
  });
}

const PREVIEW_SIDE = 160;

/** A small copy of an image as a `data:` URL of a BMP, which web pages can show. */
export function previewOf({ data, width, height, channels }: RawImage): string {
  const scale = Math.min(1, PREVIEW_SIDE / Math.max(width, height));
  const columns = Math.max(1, Math.round(width * scale));
  const rows = Math.max(1, Math.round(height * scale));
  const stride = Math.ceil((columns * 3) / 4) * 4;
  const bytes = new Uint8Array(54 + stride * rows);
  const view = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  view.setUint32(2, bytes.length, true);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, columns, true);
  view.setInt32(22, rows, true);
  view.setUint16(26, 1, true);
  view.setUint16(28, 24, true);
  for (let y = 0; y < rows; y++) {
    const sourceRow = Math.min(height - 1, Math.floor(((y + 0.5) / rows) * height));
    for (let x = 0; x < columns; x++) {
      const from =
        (sourceRow * width + Math.min(width - 1, Math.floor(((x + 0.5) / columns) * width))) * channels;
      const rgb = channels < 3 ? [0, 0, 0] : [2, 1, 0];
      // Rows from the bottom up, blue first.
      rgb.forEach((channel, at) => {
        bytes[54 + (rows - 1 - y) * stride + x * 3 + at] = data[from + channel] as number;
      });
    }
  }
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return `data:image/bmp;base64,${btoa(text)}`;
}
