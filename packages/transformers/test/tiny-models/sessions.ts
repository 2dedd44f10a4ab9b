// The three graphs that most families consist of: vision encoder, token embedding, decoder.
import { type DecoderOptions, decoder } from './decoder/decoder.js';
import { embedTokens } from './decoder/embed-tokens.js';
import type { Build } from './family.js';
import type { GraphBuilder, Value } from './graph/graph-builder.js';
import { imageFeatures } from './vision/image-features.js';

/** Vision features before and after the projector. */
export interface Vision {
  readonly features: Value;
  readonly projected: Value;
}

/** Builds `vision_encoder`, `embed_tokens` and `decoder_model_merged`. */
export function imageTextSessions(
  build: Build,
  vision: (g: GraphBuilder) => Vision,
  options: Omit<DecoderOptions, 'positions'> = {},
): { readonly visionFeatures: Value } {
  const encoder = build.graph('vision_encoder');
  const encoded = vision(encoder);
  imageFeatures(encoder, encoded, build.vision);
  embedTokens(build.graph('embed_tokens'), options);
  decoder(build.graph('decoder_model_merged'), { ...options, positions: build.positions });
  return { visionFeatures: encoded.features };
}
