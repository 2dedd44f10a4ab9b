// Which features a selection reads: from before the projector or projected, in half precision, with saliency, or not finite.

import { join } from 'node:path';
import { Tensor } from '@huggingface/transformers';
import { InvalidTensorError, saliency, textCoverage, visionCoverage } from '@mmtok/core';
import { floatsToHalves } from '@mmtok/core/internal';
import { describe, expect, it } from 'vitest';
import { VisionFeaturesError } from '../src/index.js';
import { toFloat32, toFloatType } from '../src/internal/tensors.js';
import { PrunedLlava } from './support/pruned-llava.js';
import { buildTinyModel, noiseImage } from './tiny-models/index.js';

const on = new PrunedLlava();

describe('vision features', () => {
  it('from before the projector are used if the encoder outputs them, and an error if required but missing', async () => {
    const exposing = await buildTinyModel('llava', {
      directory: join(on.directory, 'exposed'),
      exposeVisionFeatures: true,
    });
    const model = await exposing.load();
    on.attach({}, model);
    await on.run({}, on.inputs, model);
    expect(on.handle?.lastReport?.visionFeatureSource).toBe('preProjector');
    await on.run({ visionFeatures: 'projected' }, on.inputs, model);
    expect(on.handle?.lastReport?.visionFeatureSource).toBe('projected');
    await on.run({ featureOutput: 'vision_features', standardize: 'on' }, on.inputs, model);
    expect(on.handle?.lastReport).toMatchObject({ visionFeatureSource: 'preProjector', standardized: true });
    await expect(on.run({ featureOutput: 'nonsense' }, on.inputs, model)).rejects.toBeInstanceOf(
      VisionFeaturesError,
    );
    on.handle?.restore();
    await model.dispose();
    on.attach({ visionFeatures: 'preProjector' });
    await expect(on.run()).rejects.toMatchObject({ code: 'MMTOK_VISION_FEATURES' });
  });

  it('in half precision are read, and are converted to the precision of the language model', async () => {
    on.attach();
    const { vision_encoder: session } = on.loaded.model.sessions;
    await on.run();
    const order = on.handle?.lastReport?.images[0]?.selections[0]?.order;
    on.loaded.model.sessions.vision_encoder = {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      async run(feeds: unknown) {
        const { image_features } = await session.run(feeds);
        const half = floatsToHalves(image_features.data);
        return { image_features: new image_features.constructor('float16', half, image_features.dims) };
      },
    };
    await on.run();
    on.loaded.model.sessions.vision_encoder = session;
    expect(on.handle?.lastReport?.images[0]?.selections[0]?.order).toEqual(order);
    const whole = toFloatType(new Tensor('float32', [1.5, -0.25], [2]), 'float16');
    expect(Array.from(toFloat32(whole).data)).toEqual([1.5, -0.25]);
  });

  it('come with a saliency if the encoder outputs one: terms read it, and the report has it', async () => {
    const options = { directory: join(on.directory, 'salient'), exposeSaliency: true };
    const model = await (await buildTinyModel('llava', options)).load();
    const terms = [textCoverage(), visionCoverage(), saliency({ weight: 1e3 })];
    on.attach({}, model);
    await on.run({ coverage: terms }, on.inputs, model);
    const { vision_encoder: session } = model.model.sessions;
    const given = on.handle?.lastReport?.images[0]?.saliency as Float32Array;
    expect(given).toHaveLength(16);
    const ranked = [...given.keys()].sort((a, b) => given[b]! - given[a]!);
    expect(on.handle?.lastReport?.images[0]?.selections[0]?.order).toEqual(ranked.slice(0, 4));
    const own = Array.from({ length: 16 }, (_, at) => [at === 9 ? 1 : 0]);
    await on.run({ coverage: terms, inputs: { saliency: own } }, on.inputs, model);
    expect(on.handle?.lastReport?.images[0]?.selections[0]?.order[0]).toBe(9);
    await on.run({}, on.inputs, model);
    expect(on.handle?.lastReport?.images[0]?.saliency).toEqual(given);

    model.model.sessions.vision_encoder = {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      async run(feeds: unknown) {
        const { vision_saliency, ...outputs } = await session.run(feeds);
        const longer = new Float32Array(17);
        return { ...outputs, vision_saliency: new vision_saliency.constructor('float32', longer, [1, 17]) };
      },
    };
    await expect(on.run({}, on.inputs, model)).rejects.toThrow(/vision_saliency.*\[1,17\].*16/);
    model.model.sessions.vision_encoder = session;
    on.handle?.restore();
    await model.dispose();
  });

  it('come with a saliency per tile if images are tiled', async () => {
    const options = { directory: join(on.directory, 'salient'), exposeSaliency: true };
    const tiny = await buildTinyModel('idefics3', options);
    const model = await tiny.load();
    const tiled = await model.inputs('is the cat red ?', [noiseImage(tiny.imageSize)]);
    on.attach({ budget: { ratio: 0.5 } }, model);
    await on.run({ coverage: [saliency()], allocation: 'perTile' }, tiled, model);
    const [image] = on.handle?.lastReport?.images ?? [];
    expect(image?.saliency).toHaveLength(tiny.tokensPerImage);
    expect(image?.selections.length).toBeGreaterThan(1);
    on.handle?.restore();
    await model.dispose();
  });

  it('that are not finite are rejected', async () => {
    on.attach();
    const { vision_encoder: session } = on.loaded.model.sessions;
    on.loaded.model.sessions.vision_encoder = {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      async run(feeds: unknown) {
        const outputs = await session.run(feeds);
        outputs.image_features.data[5] = Number.NaN;
        return outputs;
      },
    };
    await expect(on.run()).rejects.toBeInstanceOf(InvalidTensorError);
    on.loaded.model.sessions.vision_encoder = session;
  });
});
