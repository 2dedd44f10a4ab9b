// The page: picks an image, asks the worker, and shows the answer as it is written and the patches that were kept.
import type { ImageReport } from '@mmtok/transformers';
import type { ToPage, ToWorker } from './messages.js';

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const canvas = element<HTMLCanvasElement>('canvas');
const question = element<HTMLInputElement>('question');
const keep = element<HTMLInputElement>('keep');
const ask = element<HTMLButtonElement>('ask');
const stop = element<HTMLButtonElement>('stop');

// Relative to the page, so that the app works under any path.
const assets = new URL('.', document.baseURI).href;
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const post = (message: ToWorker): void => worker.postMessage(message);

let image: Blob | undefined;
let last = 0;
const progress = new Map<string, { loaded: number; total: number }>();

worker.onmessage = ({ data }: MessageEvent<ToPage>): void => {
  if (data.type === 'progress') showProgress(data);
  if (data.type === 'ready') {
    say(`${data.family} is ready.`);
    ask.disabled = false;
  }
  if ('id' in data && data.id !== last) return; // an earlier question
  if (data.type === 'piece') element('answer').textContent += data.text;
  if (data.type === 'answer') {
    finish();
    element('answer').textContent = data.text;
    const { visionTokens, keptTokens } = data.usage;
    const { encodeMs, selectMs, prefillMs, decodeMs } = data.report.timings;
    const times = [encodeMs, selectMs, prefillMs, decodeMs].map((ms) => ms.toFixed(0));
    element('facts').textContent =
      `${keptTokens} of ${visionTokens} vision tokens; ` +
      `encode ${times[0]}, select ${times[1]}, prefill ${times[2]}, decode ${times[3]} ms`;
    document.documentElement.dataset.indices = JSON.stringify(data.report.images[0]?.indices ?? []);
    void draw(data.report.images[0]);
  }
  if (data.type === 'failed') {
    finish();
    say(data.message);
  }
};
worker.onerror = ({ message }) => say(`The worker failed: ${message}`);

element<HTMLFormElement>('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (image === undefined) return;
  post({ type: 'stop', id: last });
  element('answer').textContent = '';
  stop.disabled = false;
  post({ type: 'ask', id: ++last, image, question: question.value, keep: Number(keep.value) });
});
stop.addEventListener('click', () => {
  post({ type: 'stop', id: last });
  finish();
});
keep.addEventListener('input', () => {
  element('share').textContent = `${Math.round(100 * Number(keep.value))}%`;
});
element<HTMLInputElement>('file').addEventListener('change', ({ target }) => {
  const [file] = (target as HTMLInputElement).files ?? [];
  if (file !== undefined) void show(file);
});

function say(text: string): void {
  element('status').textContent = text;
}

function finish(): void {
  stop.disabled = true;
}

function showProgress({ file, loaded, total }: ToPage & { type: 'progress' }): void {
  progress.set(file, { loaded, total });
  const sum = (part: 'loaded' | 'total'): number =>
    [...progress.values()].reduce((bytes, one) => bytes + one[part], 0) / 1e6;
  say(`Loading the model: ${sum('loaded').toFixed(1)} of ${sum('total').toFixed(1)} MB`);
}

async function show(blob: Blob): Promise<void> {
  image = blob;
  await draw();
}

/** Draws the image, with dropped patches dimmed. */
async function draw(report?: ImageReport): Promise<void> {
  if (image === undefined) return;
  const bitmap = await createImageBitmap(image);
  const context = canvas.getContext('2d') as CanvasRenderingContext2D;
  canvas.height = Math.round((canvas.width * bitmap.height) / bitmap.width);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // With one tile, its grid lies over the whole image.
  const [tile] = report?.tiles ?? [];
  if (tile?.grid === undefined || report?.tiles.length !== 1) return;
  const [rows, columns] = tile.grid;
  const kept = new Set(tile.indices);
  const [width, height] = [canvas.width / columns, canvas.height / rows];
  context.fillStyle = 'rgb(0 0 0 / 70%)';
  for (let token = 0; token < rows * columns; token++) {
    if (kept.has(token)) continue;
    context.fillRect((token % columns) * width, Math.floor(token / columns) * height, width, height);
  }
}

// `?model=HuggingFaceTB/SmolVLM2-256M-Video-Instruct` takes a model of the hub instead of the embedded one.
const embedded = new URL('tiny-vlm/model', assets).pathname;
post({ type: 'load', model: new URLSearchParams(location.search).get('model') ?? embedded, assets });
await show(await (await fetch(new URL('tiny-vlm/samples/0.png', assets))).blob());
