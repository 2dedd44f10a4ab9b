// A method of `mmtok eval` and score.mjs: MMTok that compares projected tokens in place of the features before the projector.
import { mmtok } from '@mmtok/eval';

export default {
  ...mmtok,
  name: 'mmtok-projected',
  title: 'MMTok, projected tokens',
  select: (features, request) => mmtok.select({ ...features, visionFeatures: features.vision }, request),
};
