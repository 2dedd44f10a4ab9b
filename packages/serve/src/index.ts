// The public API of @mmtok/serve: the server, its engines, and a vLLM client for use without a server.

export type { ChatJob, ChatReply, Engine, JsonObject, PruningSummary, Usage } from './engine.js';
export {
  createLocalEngine,
  type LocalAnswer,
  type LocalEngineOptions,
  type LocalModel,
} from './engines/local.js';
export type { LocalMessage, LocalRequest } from './engines/local-request.js';
export { createVllmEngine, type VllmEngineOptions } from './engines/vllm.js';
export {
  BadRequestError,
  BusyError,
  InvalidRowsError,
  LimitError,
  ServeError,
  type ServeErrorDetails,
  ServeStartError,
  TimeoutError,
  UpstreamError,
  UpstreamUnavailableError,
} from './errors.js';
export type { ImageHeader } from './images/header.js';
export type { CheckedImage } from './images/load.js';
export type { RemoteImageOptions } from './images/remote.js';
export type { Log, LogEntry } from './observe.js';
export type { Limits, ServerOptions } from './options.js';
export type {
  CallOverrides,
  ChatBody,
  ChatMessage,
  ContentPart,
  Overrides,
  TileBudget,
} from './request/chat.js';
export type { PromptCheck, PromptRules } from './request/prompt-check.js';
export { createVisionSelector, type VisionSelectorOptions } from './selector/create-selector.js';
export type { LoadEncoderOptions } from './selector/load-encoder.js';
export type {
  SelectedImage,
  SelectedImages,
  SelectOptions,
  VisionSelector,
  WireRoute,
} from './selector/selector.js';
export { type ServeModelOptions, serveModel, type UpstreamOptions } from './serve-model.js';
export { type RunningServer, startServer } from './server.js';
export {
  type CallSettings,
  createVllmClient,
  type VllmClient,
  type VllmClientOptions,
} from './vllm/client.js';
export {
  checkRows,
  type ImageEmbedsOptions,
  type ImageEmbedsPart,
  imageEmbedsPart,
  type PromptEmbedsPart,
  promptEmbedsPart,
  type Rows,
  type RowsOptions,
} from './vllm/parts.js';
export { type TorchDtype, type TorchTensor, toTorchFile } from './vllm/torch-file.js';
