// The page's state in its URL, after the `#`. The code of a user's own `select` is never part of it: opening a link must
// not run somebody else's code.

import type { TileChoice } from '../lib/tiles.js';
import type { Device, ModelChoice, RankingMethod } from '../lib/types.js';

/** The state in the URL. */
export interface UrlState {
  readonly image?: string | undefined;
  readonly question?: string | undefined;
  readonly kept?: number | undefined;
  readonly tiles?: TileChoice | undefined;
  readonly method?: RankingMethod | undefined;
  readonly view?: 'kept' | 'order' | undefined;
  readonly device?: Device | undefined;
  readonly model?: ModelChoice | undefined;
}

const DEVICES: readonly string[] = ['wasm-1', 'wasm', 'webgpu'];
const PRECISIONS: readonly string[] = ['fp32', 'fp16', 'q8', 'q4', 'q4f16'];

/** Reads `#image=…&q=…`, and `picture=` of older links; unknown and invalid values are left out. */
export function parseHash(hash: string): UrlState {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const image = given.get('image') ?? given.get('picture') ?? '';
  const kept = Number(given.get('kept'));
  const method = given.get('method');
  const view = given.get('view');
  const device = given.get('device') ?? '';
  const tiles = tilesOf(given);
  const id = given.get('model') ?? '';
  const dtype = given.get('dtype') ?? 'q4';
  return {
    ...(/^(signs\/)?[0-5]\.png$/.test(image) && { image }),
    ...(given.has('q') && { question: (given.get('q') ?? '').slice(0, 500) }),
    ...(Number.isInteger(kept) && kept > 0 && { kept }),
    ...(tiles !== undefined && { tiles }),
    ...((method === 'mmtok' || method === 'focus') && { method }),
    ...((view === 'kept' || view === 'order') && { view }),
    ...(DEVICES.includes(device) && { device: device as Device }),
    ...(id === 'tiled' && { model: { kind: 'embedded' as const, size: 'tiled' as const } }),
    ...(/^[\w.-]+\/[\w.-]+$/.test(id) &&
      PRECISIONS.includes(dtype) && { model: { kind: 'hub' as const, id, dtype } }),
  };
}

/** Reads `tiles=all`, `tiles=6`, or `worth=0.15`. */
function tilesOf(given: URLSearchParams): TileChoice | undefined {
  if (given.get('tiles') === 'all') return 'all';
  const max = Number(given.get('tiles') ?? Number.NaN);
  if (Number.isInteger(max) && max > 0) return { max };
  const worth = Number(given.get('worth') ?? Number.NaN);
  return worth > 0 && worth <= 1 ? { worth } : undefined;
}

/** Writes the state. The user's own image cannot be part of a URL. */
export function formatHash(state: UrlState): string {
  const { image, question, kept, tiles, method, view, device, model } = state;
  const entries: readonly (readonly [string, string | undefined])[] = [
    ['image', image],
    ['q', question],
    ['kept', kept === undefined ? undefined : String(kept)],
    ['tiles', tiles === 'all' ? 'all' : tiles && 'max' in tiles ? String(tiles.max) : undefined],
    ['worth', typeof tiles === 'object' && 'worth' in tiles ? String(tiles.worth) : undefined],
    ['method', method],
    ['view', view],
    ['device', device],
    ['model', model?.kind === 'hub' ? model.id : model?.size === 'tiled' ? 'tiled' : undefined],
    ['dtype', model?.kind === 'hub' ? model.dtype : undefined],
  ];
  const present = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
  return `#${new URLSearchParams(present.map(([name, value]) => [name, value])).toString()}`;
}
