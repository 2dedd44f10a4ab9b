// Preprocessing of tiled images, in milliseconds: the image processor of transformers.js, its steps, and the faster version of it, for
// a square image that becomes 17 tiles. Medians of interleaved passes.
//
//   pnpm build && node packages/transformers/bench/preprocess.mjs [passes]

import * as library from '@huggingface/transformers';
import { loadTinyVlm } from '@mmtok/tiny-vlm';
import { processInputs } from '@mmtok/transformers';

const passes = Number(process.argv[2] ?? 7);

/** An image of noise. */
function noise(edge) {
  const data = Uint8ClampedArray.from(
    { length: 3 * edge * edge },
    (_, at) => Math.imul(at + 1, 0x9e3779b1) >>> 24,
  );
  return new library.RawImage(data, edge, edge, 3);
}

async function timed(act) {
  const started = performance.now();
  const result = await act();
  return [performance.now() - started, result];
}

/** Medians of the times that `measure` returns by name. */
async function medians(measure) {
  const runs = [];
  for (let pass = 0; pass < passes + 2; pass++) runs.push(await measure());
  const measured = runs.slice(2);
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
  const [whole, stretched] = await timed(() => interpolate_4d(planes, { size: [height, width] }));
  const [cut] = await timed(async () => {
    const { frames } = await images.split_image(stretched, images.max_image_size);
    return cat([cat(frames, 0)], 0);
  });
  return { resize, normalize, reorder, whole, cut };
}

const settings = {
  do_convert_rgb: true,
  do_normalize: true,
  do_resize: true,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  max_image_size: { longest_edge: 512 },
  rescale_factor: 0.00392156862745098,
  resample: 1,
  size: { longest_edge: 2048 },
};
const { processor: own, tokenizer, source, model } = await loadTinyVlm({ size: 'tiled' });
const plain = await library.AutoProcessor.from_pretrained(source, { local_files_only: true });
const smolvlm = new library.Idefics3Processor(
  { image_seq_len: 64 },
  { image_processor: new library.Idefics3ImageProcessor(settings), tokenizer },
  null,
);

for (const [name, edge, theirs, ours] of [
  ['SmolVLM-256M: 1.5 megapixels to 2048 × 2048', 1225, smolvlm, smolvlm],
  ['embedded tiled model: 256 × 256', 256, plain, own],
]) {
  const image = noise(edge);
  const request = { prompt: '<image> question what is it ? answer', images: [image] };
  const times = await medians(async () => {
    const steps = await stepsOf(theirs.image_processor, image);
    const [all] = await timed(() => theirs.image_processor(image));
    const [both] = await timed(() => theirs(request.prompt, [image]));
    const [faster, inputs] = await timed(() => processInputs(library, ours, request));

    if (inputs.pixel_values.dims[1] !== 17)
      throw new Error(`expected 17 tiles, got ${inputs.pixel_values.dims}`);
    return { ...steps, 'image processor': all, 'image and text': both, faster };
  });
  console.log(name);
  for (const [step, ms] of times) console.log(`  ${step.padEnd(16)} ${ms.toFixed(1).padStart(8)} ms`);
}
await model.dispose();
