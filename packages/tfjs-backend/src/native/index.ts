// @mmtok/tfjs-backend/native (experimental): builds and finds the native addon. Node only.

export { type BuildOptions, type BuiltAddon, buildAddon } from './build-addon.js';
export { NativeBuildError } from './native-build-error.js';
export { findNativeAddon, type NativeFlavor, nativeRoot } from './native-location.js';
