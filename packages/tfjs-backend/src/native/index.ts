// @mmtok/tfjs-backend/native (experimental): builds and finds the native addon. Node only.

export { type BuildOptions, type BuiltAddon, buildAddon } from './build-addon.js';
export { NativeBuildError } from './machine.js';
export { findNativeAddon, type NativeFlavor, nativeRoot } from './native-location.js';
