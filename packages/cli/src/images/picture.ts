// A picture in memory, as images are read, shown to models and drawn upon. Plain data.

/** RGB pixels, row by row, three bytes each. */
export interface Picture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}
