import { describeEngine } from './describe-engine.js';
import { createNative, nativeAddon } from './engines.js';

describeEngine({
  name: 'native',
  module: nativeAddon ?? '',
  create: createNative,
  skip: nativeAddon === undefined && 'the native addon is not built; run pnpm native:tfjs',
});
