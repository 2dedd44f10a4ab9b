// Reads files of a model that transformers.js has loaded, from the same location: its cache, a folder, or the page's server.

import { messageOf } from '@mmtok/core/internal';
import { platform } from '#files';
import { VisionFeaturesError } from '../errors.js';

/** A path, or a URL. */
export type Location = string | URL;

/** The parts of transformers.js's `env` that are read. */
export interface LibraryEnv {
  readonly allowLocalModels?: boolean;
  readonly allowRemoteModels?: boolean;
  readonly localModelPath?: string;
  readonly remoteHost?: string;
  readonly remotePathTemplate?: string;
  readonly cacheDir?: string | null;
  readonly cacheKey?: string;
  readonly useFSCache?: boolean;
  readonly useBrowserCache?: boolean;
  readonly useCustomCache?: boolean;
  readonly customCache?: FileCache | null;
  readonly fetch?: typeof fetch;
  readonly logLevel?: number;
}

/** A cache as transformers.js uses it. A hit is a `Response`, a file response with its path, or a path. */
export interface FileCache {
  match(name: string): Promise<unknown>;
}

/** A file in memory. */
export interface FoundFile {
  readonly bytes: Uint8Array;
  /** The folder on disk that contains it. */
  readonly folder?: string | undefined;
}

/** What differs between Node and browsers. `#files` in package.json selects the implementation. */
export interface PlatformFiles {
  /**
   * The absolute path of a model folder on disk; nothing for a hub id.
   * @throws ModelLoadError if the source is a path that is not a model folder; the message says what is missing.
   */
  modelFolder(source: string): string | undefined;
  /** The cache of transformers.js, unless it is disabled. */
  openCache(env: LibraryEnv, folder: string | undefined): Promise<FileCache | undefined>;
  /** Reads a file on disk, or on the page's server. */
  readLocal(location: Location, env?: LibraryEnv): Promise<FoundFile>;
  /** The location of a file in the same folder. */
  beside(location: Location, name: string): string;
  /** Reads a file from the hub, if transformers.js may not have cached it. */
  readonly download: ((url: string, env: LibraryEnv) => Promise<FoundFile>) | undefined;
  /** The devices that transformers.js tries for `'auto'` or `'gpu'`. */
  devices(wanted: 'auto' | 'gpu'): readonly string[];
  /** Profiles of models, in the user's cache folder or the browser's Cache Storage. */
  readonly profiles: ProfileStore;
  /** Options of ONNX Runtime for all sessions of a model, unless the caller sets them. */
  readonly sessionOptions: Readonly<Record<string, unknown>>;
}

/** Stores profiles by key. Reading and writing never fail: a profile that cannot be stored is measured again. */
export interface ProfileStore {
  /** The stored value for a key, not validated; `undefined` if there is none. */
  read(key: string): Promise<unknown>;
  write(key: string, profile: object): Promise<void>;
  /** Identifies the machine, for profile folders that several machines share. */
  machine(): string;
}

/** Where a model was loaded from. */
export interface ModelPlace {
  /** A folder or a hub id, as passed to `from_pretrained`. */
  readonly source: string;
  readonly revision?: string | undefined;
  readonly cacheDir?: string | undefined;
  readonly offline?: boolean | undefined;
}

const HUB_ID = /^(\b[\w\-.]+\b\/)?\b[\w\-.]{1,96}\b$/;

/**
 * Reads a file of a loaded model.
 * @param name within the model, e.g. `'onnx/vision_encoder.onnx'`.
 * @throws VisionFeaturesError if it is in none of the places that transformers.js could have loaded it from.
 */
export async function readModelFile(env: LibraryEnv, place: ModelPlace, name: string): Promise<FoundFile> {
  const { source, revision = 'main' } = place;
  const isHubId = HUB_ID.test(source) && !source.includes('..') && !source.includes('--');
  const requested = join(source, name);
  const local = isHubId ? join(env.localModelPath ?? '', requested) : requested;
  const inFolder = revision === 'main' ? requested : join(source, revision, name);
  const remote = join(
    env.remoteHost ?? '',
    (env.remotePathTemplate ?? '')
      .replaceAll('{model}', source)
      .replaceAll('{revision}', encodeURIComponent(revision)),
    name,
  );

  const custom = env.useCustomCache === true ? env.customCache : undefined;
  const cache = custom ?? (await platform.openCache(env, place.cacheDir));
  for (const key of new Set([local, remote, inFolder])) {
    const hit: unknown = await cache?.match(key).catch(() => undefined);
    const found = await contents(hit);
    if (found !== undefined) return found;
  }
  const problems: string[] = [];
  const attempt = async (read: () => Promise<FoundFile>): Promise<FoundFile | undefined> => {
    try {
      return await read();
    } catch (error) {
      problems.push(messageOf(error));
      return undefined;
    }
  };
  const mayDownload = isHubId && place.offline !== true && env.allowRemoteModels !== false;
  const { download } = platform;
  const found =
    (!isHubId || env.allowLocalModels !== false
      ? await attempt(() => platform.readLocal(local, env))
      : undefined) ??
    (mayDownload && download !== undefined ? await attempt(() => download(remote, env)) : undefined);
  if (found !== undefined) return found;
  const reason = problems.length > 0 ? problems.join('; ') : 'it is not in the cache of transformers.js';
  throw new VisionFeaturesError(`the file ${requested} cannot be read: ${reason}`);
}

/**
 * Reads a file that the caller names.
 * @throws VisionFeaturesError if it cannot be read.
 */
export async function readNamedFile(location: Location): Promise<FoundFile> {
  try {
    return await platform.readLocal(location);
  } catch (error) {
    throw new VisionFeaturesError(`the file ${location} cannot be read: ${messageOf(error)}`);
  }
}

async function contents(hit: unknown): Promise<FoundFile | undefined> {
  if (hit === undefined || hit === null) return undefined;
  const path = typeof hit === 'string' ? hit : (hit as { readonly filePath?: unknown }).filePath;
  if (typeof path === 'string') return await platform.readLocal(path);
  const { arrayBuffer } = hit as Partial<Response>;
  return arrayBuffer === undefined ? undefined : { bytes: new Uint8Array(await arrayBuffer.call(hit)) };
}

/** Parts of a path with exactly one slash between them. */
function join(...parts: readonly string[]): string {
  return parts
    .map((part, at) => (at === 0 ? part : part.replace(/^\//, '')))
    .map((part, at) => (at === parts.length - 1 ? part : part.replace(/\/$/, '')))
    .join('/');
}
