// The camera loop: takes the newest frame when the worker is free. Frames in between are never encoded, so the loop keeps up
// with any camera, and no queue grows.
import type { ToPage, ToWorker } from './messages.js';

/** The longer side, in pixels, of the frames that the model gets. */
const FRAME_SIZE = 512;

const element = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const video = element<HTMLVideoElement>('video');
const question = element<HTMLInputElement>('question');
const toggle = element<HTMLButtonElement>('toggle');

const assets = new URL('.', document.baseURI).href;
const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
const post = (message: ToWorker, transfer: Transferable[] = []): void =>
  worker.postMessage(message, transfer);

const canvas = new OffscreenCanvas(1, 1);
let camera: MediaStream | undefined;
let answered = 0;

worker.onmessage = ({ data }: MessageEvent<ToPage>): void => {
  if (data.type === 'ready') {
    say(`${data.family} is ready.`);
    toggle.disabled = false;
  }
  if (data.type === 'answer') {
    element('answer').textContent = data.text;
    const { encodeMs, selectMs, prefillMs, decodeMs } = data.timings;
    const ms = encodeMs + selectMs + prefillMs + decodeMs;
    element('facts').textContent =
      `${data.usage.keptTokens} of ${data.usage.visionTokens} vision tokens, ${ms.toFixed(0)} ms a frame`;
    document.documentElement.dataset.answered = String(++answered);
    ask();
  }
  if (data.type === 'failed') {
    say(data.message);
    stop();
  }
};

toggle.addEventListener('click', () => (camera === undefined ? void start() : stop()));
// Frees the model's memory when the page goes away for good.
window.addEventListener('pagehide', ({ persisted }) => {
  stop();
  if (!persisted) post({ type: 'end' });
});

async function start(): Promise<void> {
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
  } catch (error) {
    say(`No camera: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  video.srcObject = camera;
  await video.play();
  toggle.textContent = 'Stop';
  ask();
}

function stop(): void {
  for (const track of camera?.getTracks() ?? []) track.stop();
  camera = undefined;
  video.srcObject = null;
  toggle.textContent = 'Start';
}

/** Sends the newest frame. The next one is sent once this one is answered. */
function ask(): void {
  if (camera === undefined) return;
  const scale = Math.min(1, FRAME_SIZE / Math.max(video.videoWidth, video.videoHeight));
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  const context = canvas.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const frame = context.getImageData(0, 0, canvas.width, canvas.height);
  post({ type: 'frame', frame, question: question.value }, [frame.data.buffer]);
}

function say(text: string): void {
  element('status').textContent = text;
}

const embedded = new URL('tiny-vlm/model', assets).pathname;
post({ type: 'load', model: new URLSearchParams(location.search).get('model') ?? embedded, assets });
