// The methods that come with the package, by name. Not a registry: the runner takes any methods it is given.

import { InvalidOptionsError } from '@mmtok/core';
import { cdpruner, cdprunerOpenvino } from './cdpruner.js';
import { cenCdpruner, cenDivprune } from './cen-prune.js';
import { dartEmbedding } from './dart.js';
import { divprune } from './divprune.js';
import { facilityLocation } from './facility-location.js';
import { farthestPoint } from './farthest-point.js';
import { fastervlm } from './fastervlm.js';
import { mmtok, mmtokFocused, mmtokPeaked, textOnly, visionOnly } from './mmtok.js';
import { otprune } from './otprune.js';
import { random } from './random.js';
import { scope } from './scope.js';
import type { Selector } from './selector.js';
import { stacktok } from './stacktok.js';
import { svdLeverage } from './svd-leverage.js';
import { uniform } from './uniform.js';
import { visionzip } from './visionzip.js';
import { vispruner } from './vispruner.js';
import { mmtokAgent, mmtokFocusedAgent, mmtokOracle } from './with-agent.js';

/** All methods of the package; those that need a saliency or an agent come last. */
export const builtInMethods: readonly Selector[] = [
  mmtok,
  mmtokPeaked,
  mmtokFocused,
  textOnly,
  visionOnly,
  random,
  uniform,
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
  visionzip,
  fastervlm,
  vispruner,
  scope,
  mmtokAgent,
  mmtokFocusedAgent,
  mmtokOracle,
];

/**
 * Finds methods by name.
 * @param own further methods, which go before built-in ones of the same name.
 * @throws InvalidOptionsError for a name that is not there, with all names that are.
 */
export function findMethods(names: readonly string[], own: readonly Selector[] = []): Selector[] {
  const known = [...own, ...builtInMethods];
  return names.map((name) => {
    const found = known.find((method) => method.name === name);
    if (found !== undefined) return found;
    const all = [...new Set(known.map((method) => method.name))].join(', ');
    throw new InvalidOptionsError('methods', [`there is no method '${name}'; there are ${all}`]);
  });
}
