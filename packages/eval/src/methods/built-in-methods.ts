// The methods of this package, by name. The runner also takes any others.

import { InvalidOptionsError } from '@mmtok/core';
import { agilepruner } from './agilepruner.js';
import { cdpruner, cdprunerOpenvino } from './cdpruner.js';
import { cenCdpruner, cenDivprune } from './cen-prune.js';
import { facilityLocation, farthestPoint } from './classical.js';
import { random, stratified, uniform } from './controls.js';
import { dartEmbedding } from './dart.js';
import { divprune } from './divprune.js';
import { fastervlm } from './fastervlm.js';
import { mmtokIvc } from './ivc.js';
import type { Method } from './method.js';
import { mmrNorm, mmrRelevance, mmrSaliency } from './mmr.js';
import { mmtok, mmtokFocused, mmtokPeaked, textOnly, visionOnly } from './mmtok.js';
import { mmtokAuto } from './mmtok-auto.js';
import { otprune } from './otprune.js';
import { prunesid, prunesidSaliency } from './prunesid.js';
import { resize } from './resize.js';
import { scope } from './scope.js';
import { stacktok } from './stacktok.js';
import { svdLeverage } from './svd-leverage.js';
import { visionzip } from './visionzip.js';
import { vispruner } from './vispruner.js';
import { mmtokAgent, mmtokFocusedAgent, mmtokOracle } from './with-agent.js';
import { zspaprune } from './zspaprune.js';

/** All built-in methods. Those that need saliency, positions or an agent come last. */
export const builtInMethods: readonly Method[] = [
  mmtok,
  mmtokPeaked,
  mmtokFocused,
  mmtokAuto,
  textOnly,
  visionOnly,
  random,
  uniform,
  stratified,
  resize,
  divprune,
  cdpruner,
  cdprunerOpenvino,
  farthestPoint,
  facilityLocation,
  stacktok,
  cenDivprune,
  cenCdpruner,
  dartEmbedding,
  otprune,
  svdLeverage,
  prunesid,
  mmrNorm,
  mmrRelevance,
  zspaprune,
  visionzip,
  fastervlm,
  vispruner,
  scope,
  prunesidSaliency,
  mmrSaliency,
  agilepruner,
  mmtokIvc,
  mmtokAgent,
  mmtokFocusedAgent,
  mmtokOracle,
];

/**
 * Finds methods by name.
 * @param own additional methods, which take precedence over built-in ones of the same name.
 * @throws InvalidOptionsError for an unknown name; lists the known ones.
 */
export function findMethods(names: readonly string[], own: readonly Method[] = []): Method[] {
  const known = [...own, ...builtInMethods];
  return names.map((name) => {
    const found = known.find((method) => method.name === name);
    if (found !== undefined) return found;
    const all = [...new Set(known.map((method) => method.name))].join(', ');
    throw new InvalidOptionsError('methods', [`there is no method '${name}'; there are ${all}`]);
  });
}
