// The embedded model's held-out questions, asked in a page: scenes are drawn here, as Node draws them into files.

import { env } from '@huggingface/transformers';
import { drawScene, loadTinyVlm, SCENE_SIZE, type Scene } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

/** How many questions, and how many vision tokens to keep. */
export interface HeldOutRequest {
  readonly limit: number;
  readonly tokens: number;
}

/** One question's answers: from all tokens, and from the kept ones. */
export interface HeldOutReply {
  readonly all: string;
  readonly pruned: string;
  readonly indices: readonly number[];
}

const lines = async <T>(path: string): Promise<T[]> =>
  (await (await fetch(path)).text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

/** A scene as the URL of a PNG file, so that the page decodes it as it does any picture. */
async function pictureOf(scene: Scene): Promise<string> {
  const rgb = drawScene(scene);
  const pixels = new ImageData(SCENE_SIZE, SCENE_SIZE);
  for (let at = 0; at < SCENE_SIZE ** 2; at++) {
    pixels.data.set([...rgb.subarray(at * 3, at * 3 + 3), 255], at * 4);
  }
  const canvas = new OffscreenCanvas(SCENE_SIZE, SCENE_SIZE);
  canvas.getContext('2d')?.putImageData(pixels, 0, 0);
  return URL.createObjectURL(await canvas.convertToBlob({ type: 'image/png' }));
}

/** Asks the first questions, as many as given. */
export async function heldOut({ limit, tokens }: HeldOutRequest): Promise<readonly HeldOutReply[]> {
  Object.assign(env.backends.onnx.wasm ?? {}, { wasmPaths: '/onnxruntime/', numThreads: 2 });
  const [questions, scenes, vlm] = await Promise.all([
    lines<{ readonly scene: number; readonly question: string }>('/tiny-vlm/heldout/questions.jsonl'),
    lines<Scene>('/tiny-vlm/heldout/scenes.jsonl'),
    loadTinyVlm({ dtype: 'fp32', baseUrl: '/tiny-vlm/' }),
  ]);
  const handle = prune(vlm.model, { processor: vlm.processor, budget: { tokens } });
  const replies: HeldOutReply[] = [];
  for (const { scene, question } of questions.slice(0, limit)) {
    const image = await pictureOf(scenes[scene] as Scene);
    const all = await vlm.ask(image, question, { mmtok: false });
    const pruned = await vlm.ask(image, question);
    URL.revokeObjectURL(image);
    replies.push({ all, pruned, indices: handle.lastReport?.images[0]?.indices ?? [] });
  }
  await handle.restore();
  await vlm.model.dispose();
  return replies;
}
