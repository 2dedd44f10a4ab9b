// Tells a person how far the download of a model has come.

import type { ProgressCallback } from '@huggingface/transformers';
import { formatBytes } from '../terminal/format.js';
import type { StatusLine } from '../terminal/status-line.js';

const BAR_WIDTH = 24;

/** A callback for `from_pretrained` that draws all files of a model as one bar. */
export function downloadProgress(model: string, status: StatusLine): ProgressCallback {
  const files = new Map<string, { readonly loaded: number; readonly total: number }>();
  return (info) => {
    if (info.status !== 'progress' || !(info.total > 0)) return;
    files.set(info.file, { loaded: info.loaded, total: info.total });
    let loaded = 0;
    let total = 0;
    for (const file of files.values()) {
      loaded += file.loaded;
      total += file.total;
    }
    const done = Math.round((loaded / total) * BAR_WIDTH);
    const bar = '█'.repeat(done) + '░'.repeat(BAR_WIDTH - done);
    status.show(`Loading ${model}  ${bar}  ${formatBytes(loaded)} of ${formatBytes(total)}`);
  };
}
