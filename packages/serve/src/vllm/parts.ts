// Content parts of a chat message with an image's rows for a vLLM server, and the checks that rows must pass first: vLLM
// silently accepts rows that are not finite, and a grid that does not match crashes its engine for all users.

import { floatsToHalves, floatToBfloat16 } from '@mmtok/core/internal';
import { InvalidRowsError } from '../errors.js';
import { type TorchTensor, toTorchFile } from './torch-file.js';

/** Vision tokens as the language model receives them: `[k, D]`, row-major. */
export interface Rows {
  readonly data: Float32Array;
  /** `[k, D]`: kept tokens, hidden size of the language model. */
  readonly dims: readonly number[];
}

/** How rows are written. */
export interface RowsOptions {
  /** Half precision of the rows; the server converts them to its own. @default 'bfloat16' */
  readonly dtype?: 'bfloat16' | 'float16' | undefined;
  /** Hidden size of the served model, if known. Rows of another width are rejected. */
  readonly hiddenSize?: number | undefined;
}

/** Options of {@link imageEmbedsPart}. */
export interface ImageEmbedsOptions extends RowsOptions {
  /**
   * For families with a grid (Qwen-VL): frames, height and width in patches. Its area must be `k · merge²`. The server places
   * the rows on this grid, not where they were in the image.
   */
  readonly grid?: readonly [frames: number, height: number, width: number] | undefined;
  /** Patches per row along each side: Qwen-VL's `spatial_merge_size`. Default: 2. */
  readonly merge?: number | undefined;
}

/** A content part with an image's rows. */
export interface ImageEmbedsPart {
  readonly type: 'image_embeds';
  readonly image_embeds: string | { readonly image_embeds: string; readonly image_grid_thw: string };
}

/** A content part whose rows are inserted into the prompt at its position; for any model. */
export interface PromptEmbedsPart {
  readonly type: 'prompt_embeds';
  readonly data: string;
}

/**
 * A part of a user message that passes `rows` to vLLM instead of the image. The server needs `--enable-mm-embeds`.
 * @throws InvalidRowsError if rows or grid must not be sent.
 *
 * @example
 * const part = imageEmbedsPart({ data: new Float32Array(57 * 4096), dims: [57, 4096] });
 * const message = { role: 'user', content: [part, { type: 'text', text: 'What is on the table?' }] };
 */
export function imageEmbedsPart(rows: Rows, options: ImageEmbedsOptions = {}): ImageEmbedsPart {
  const { grid, merge = 2 } = options;
  const file = rowsFile(rows, options);
  if (grid === undefined) return { type: 'image_embeds', image_embeds: file };
  const area = grid[0] * grid[1] * grid[2];
  const wanted = (rows.dims[0] ?? 0) * merge * merge;
  const isGrid = grid.length === 3 && grid.every((side) => Number.isInteger(side) && side > 0);
  const isWhole = grid[1] % merge === 0 && grid[2] % merge === 0;
  if (!isGrid || !isWhole || area !== wanted) {
    throw new InvalidRowsError(
      `The grid [${grid.join(', ')}] does not hold ${rows.dims[0]} rows of ${merge} × ${merge} patches: expected three whole ` +
        `numbers, sides that ${merge} divides, and an area of ${wanted}. It would crash vLLM's engine.`,
    );
  }
  const sides = toTorchFile({ dtype: 'int64', data: BigInt64Array.from(grid, BigInt), shape: [3] });
  return {
    type: 'image_embeds',
    image_embeds: { image_embeds: file, image_grid_thw: sides.toString('base64') },
  };
}

/**
 * A part that inserts `rows` into the prompt unchanged. The server needs `--enable-prompt-embeds`. Markers that a family
 * writes around an image (`<|vision_start|>`) must be in text parts before and after.
 * @throws InvalidRowsError if the rows must not be sent.
 */
export function promptEmbedsPart(rows: Rows, options: RowsOptions = {}): PromptEmbedsPart {
  return { type: 'prompt_embeds', data: rowsFile(rows, options) };
}

function rowsFile(rows: Rows, { dtype = 'bfloat16', hiddenSize }: RowsOptions): string {
  checkRows(rows, hiddenSize);
  const { data, dims } = rows;
  const tensor: TorchTensor = { dtype, data: toBits(data, dtype), shape: dims };
  return toTorchFile(tensor).toString('base64');
}

/**
 * Checks rows, which vLLM does not do: a float32 matrix `[k, D]` with k ≥ 1, the model's hidden size, all finite.
 * @throws InvalidRowsError
 */
export function checkRows({ data, dims }: Rows, hiddenSize?: number): void {
  const refuse = (problem: string): never => {
    throw new InvalidRowsError(
      `Rows for the upstream server: expected a float32 matrix [k, D], k ≥ 1; ${problem}.`,
    );
  };
  if (!(data instanceof Float32Array)) refuse('the data is not a Float32Array');
  const [count = 0, width = 0] = dims;
  if (dims.length !== 2 || !dims.every((length) => Number.isInteger(length) && length >= 1)) {
    refuse(`got the shape [${dims.join(', ')}]`);
  }
  if (data.length !== count * width) {
    refuse(`the shape [${dims.join(', ')}] needs ${count * width} numbers, got ${data.length}`);
  }
  if (hiddenSize !== undefined && width !== hiddenSize) {
    refuse(`the model's hidden size is ${hiddenSize}, got rows of ${width}`);
  }
  for (let index = 0; index < data.length; index++) {
    if (!Number.isFinite(data[index])) refuse(`number ${index} is ${data[index]}`);
  }
}

/** Half precision, rounded to nearest even. */
function toBits(data: Float32Array, dtype: 'bfloat16' | 'float16'): Uint16Array {
  const bits = dtype === 'float16' ? floatsToHalves(data) : Uint16Array.from(data, floatToBfloat16);
  const exponent = dtype === 'float16' ? 0x7c00 : 0x7f80;
  for (let index = 0; index < bits.length; index++) {
    if ((bits[index]! & exponent) === exponent) overflow(dtype, index, data[index]!);
  }
  return bits;
}

function overflow(dtype: string, index: number, value: number): never {
  throw new InvalidRowsError(
    `Number ${index} of the rows, ${value}, does not fit into ${dtype}. Use bfloat16.`,
  );
}
