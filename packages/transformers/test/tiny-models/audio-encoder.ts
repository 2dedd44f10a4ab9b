// An audio encoder, because the library loads one with Gemma 3n and 4 even if there is no audio.
import { HIDDEN } from './dimensions.js';
import type { Json } from './family.js';
import type { GraphBuilder } from './graph/graph-builder.js';
import { cast, linear, multiply, unsqueeze } from './graph/operators.js';

const MEL_BINS = 8;

/** What the audio feature extractor is configured with. */
export const AUDIO_FEATURES: Json = {
  feature_size: MEL_BINS,
  sampling_rate: 16_000,
  frame_length: 512,
  hop_length: 160,
  fft_length: 512,
  min_frequency: 125,
  max_frequency: 7600,
  preemphasis: 0.97,
  preemphasis_htk_flavor: true,
  mel_floor: 1e-5,
  padding_value: 0,
};

/** Describes `audio_encoder` in `g`: spectrogram in, one feature row per frame out. */
export function audioEncoder(g: GraphBuilder): void {
  const features = g.input('input_features', 'float32', ['batch_size', 'frames', MEL_BINS]);
  const mask = g.input('input_features_mask', 'bool', ['batch_size', 'frames']);
  const heard = multiply(g, features, unsqueeze(g, cast(g, mask, 'float32'), [2]));
  g.output('audio_features', linear(g, heard, '/audio_projection', [MEL_BINS, HIDDEN]));
}
