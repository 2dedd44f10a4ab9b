// @mmtok/tfjs-backend/native: building and finding the native addon, for command lines and doctors. Node only.

export { type BuildOptions, type BuiltAddon, buildAddon } from './build-addon.js';
export { NativeBuildError } from './native-build-error.js';
export { findNativeAddon, type NativeFlavor, nativeRoot } from './native-location.js';
