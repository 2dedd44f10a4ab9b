// A selection is plain data: it survives structured cloning, a message channel and JSON, prefixes included.

import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference-backend.js';
import { visionCoverage } from '../coverage/terms.js';
import { createRandom } from '../search/sampling.js';
import { selectTokens } from './select-tokens.js';
import { prefix, type Selection } from './selection.js';

const backend = createReferenceBackend();
const random = createRandom(1);
const vision = { data: Float32Array.from({ length: 40 * 6 }, () => random() - 0.5), dims: [40, 6] };
const coverage = [visionCoverage({ sample: { targets: 32 } })];

const roads: readonly (readonly [string, (selection: Selection) => unknown])[] = [
  ['structuredClone', (selection) => structuredClone(selection)],
  ['JSON', (selection) => JSON.parse(JSON.stringify(selection))],
  [
    'a message channel',
    async (selection) => {
      const { port1, port2 } = new MessageChannel();
      const arrival = once(port2, 'message');
      port1.postMessage(selection);
      const [received] = await arrival;
      port1.close();
      return received;
    },
  ],
];

describe.each(roads)('a selection through %s', (_, send) => {
  it.each([{ tokens: 12 }, { tokens: 40 }])('is the same, with its prefixes, at %o', async (budget) => {
    const selection = await selectTokens({ backend, vision, coverage, budget });
    const received = (await send(selection)) as Selection;
    expect(received).toEqual(selection);
    const k = selection.reason === 'belowBudget' ? 40 : 5;
    expect(prefix(received, k)).toEqual(prefix(selection, k));
    expect(prefix(prefix(received, k), k)).toEqual(prefix(selection, k));
  });
});
