// Preprocessing in milliseconds: the image processors of transformers.js, their steps, and the faster versions of them. Medians of
// interleaved passes; measurements of large images start without garbage.
//
//   pnpm build && node --expose-gc packages/transformers/bench/preprocess.mjs [passes]

import * as library from '@huggingface/transformers';
import { loadTinyVlm } from '@mmtok/tiny-vlm';
import { processInputs } from '@mmtok/transformers';

const passes = Number(process.argv[2] ?? 5);

/** An image of noise. */
function noise(width, height) {
  const data = Uint8ClampedArray.from(
    { length: 3 * width * height },
    (_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 24,
  );
  return new library.RawImage(data, width, height, 3);
}

/** Whether to collect garbage before each measurement. */
let collects = true;

/** How long something takes, and its result. */
async function timed(act) {
  if (collects) globalThis.gc?.();
  const started = performance.now();
  const result = await act();
  return [performance.now() - started, result];
}

/** The medians of the times that `measure` returns, by name. Small images need many passes. */
async function medians({ width }, measure) {
  collects = width >= 1000;
  const [warm, count] = collects ? [1, passes] : [20, 10 * passes];
  const runs = [];
  for (let pass = 0; pass < warm + count; pass++) runs.push(await measure());
  const measured = runs.slice(warm);
  return Object.keys(measured[0]).map((name) => {
    const sorted = measured.map((run) => run[name]).sort((a, b) => a - b);
    return [name, sorted[Math.floor(sorted.length / 2)]];
  });
}

/** The steps of `Idefics3ImageProcessor`, one after the other. */
async function stepsOf(images, image) {
  const { Tensor, interpolate_4d, cat } = library;
  const [resize, resized] = await timed(() => images.resize(image));
  const { width, height, channels } = resized;
  const [normalize, pixels] = await timed(() => {
    const values = Float32Array.from(resized.data);
    images.rescale(values);
    for (let i = 0; i < values.length; i += channels) {
      for (let c = 0; c < channels; c++)
        values[i + c] = (values[i + c] - images.image_mean[c]) / images.image_std[c];
    }
    return values;
  });
  const [reorder, planes] = await timed(() =>
    new Tensor('float32', pixels, [height, width, channels]).permute(2, 0, 1).unsqueeze_(0),
  );
  const edge = images.max_image_size.longest_edge;
  const whole = images.get_resize_for_vision_encoder(planes, edge);
  const [stretch, stretched] = await timed(() =>
    interpolate_4d(planes, { size: [whole.height, whole.width] }),
  );
  const [cut] = await timed(async () => {
    const { frames } = await images.split_image(stretched, images.max_image_size);
    return cat([cat(frames, 0)], 0);
  });
  return { resize, normalize, reorder, stretch, cut };
}

const common = {
  do_convert_rgb: true,
  do_normalize: true,
  do_resize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  rescale_factor: 0.00392156862745098,
};
const { processor: own, tokenizer, source, model } = await loadTinyVlm({ size: 'tiled' });
const plain = await library.AutoProcessor.from_pretrained(source, { local_files_only: true });
const smolvlm = new library.Idefics3Processor(
  { image_seq_len: 64 },
  {
    image_processor: new library.Idefics3ImageProcessor({
      ...common,
      max_image_size: { longest_edge: 512 },
      resample: 1,
      size: { longest_edge: 2048 },
    }),
    tokenizer,
  },
  null,
);

const tiled = [
  ['SmolVLM-256M, 1225 × 1225 to 2048 × 2048', noise(1225, 1225), smolvlm, smolvlm],
  ['SmolVLM-256M, 1500 × 1000 to 2048 × 1536', noise(1500, 1000), smolvlm, smolvlm],
  ['embedded tiled model, 256 × 256', noise(256, 256), plain, own],
];
for (const [name, image, theirs, ours] of tiled) {
  const prompt = '<image> question what is it ? answer';
  const times = await medians(image, async () => {
    const [all] = await timed(() => theirs(prompt, [image]));
    const [faster] = await timed(() => processInputs(library, ours, { prompt, images: [image] }));
    return { ...(await stepsOf(theirs.image_processor, image)), 'transformers.js': all, mmtok: faster };
  });
  show(name, times);
}

const image = noise(1225, 1225);
const others = {
  'LFM2-VL, 10 tiles': new library.Lfm2VlImageProcessor({ ...common, do_resize: false }),
  'Qwen2-VL': new library.Qwen2VLImageProcessor({
    ...common,
    min_pixels: 3136,
    max_pixels: 12_845_056,
    merge_size: 2,
    patch_size: 14,
    resample: 3,
    temporal_patch_size: 2,
  }),
  'LLaVA-OneVision': new library.LlavaOnevisionImageProcessor({
    ...common,
    resample: 3,
    size: { height: 384, width: 384 },
  }),
};
for (const [name, image_processor] of Object.entries(others)) {
  const processor = new library.Processor({}, { image_processor, tokenizer }, null);
  const request = { prompt: '<image>', images: [image], config: {}, tokensPerImage: async () => 1 };
  const times = await medians(image, async () => {
    const [all] = await timed(() => image_processor([image]));
    const [faster] = await timed(() => processInputs(library, processor, request));
    return { 'transformers.js': all, mmtok: faster };
  });
  show(`${name}, 1225 × 1225`, times);
}
await model.dispose();

function show(name, times) {
  console.log(name);
  for (const [step, ms] of times) console.log(`  ${step.padEnd(16)} ${ms.toFixed(1).padStart(8)} ms`);
}
