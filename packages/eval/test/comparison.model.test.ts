// The comparison on the embedded model: MMTok keeps more of the accuracy than chance and than an even spread.

import { createOrtBackend } from '@mmtok/ort-backend';
import { heldOut } from '@mmtok/tiny-vlm';
import { expect, test } from 'vitest';
import { compareSelectors, mmtokSelector, randomSelector, uniformSelector } from '../src/index.js';
import { tinyVlmModel } from './tiny-vlm-model.js';

test('with a tenth of the tokens', async () => {
  const backend = await createOrtBackend();
  const all = await heldOut();
  const questions = all.filter((_, index) => index % Math.ceil(all.length / 80) === 0);
  const { fullAccuracy, rows } = await compareSelectors({
    model: await tinyVlmModel(backend),
    questions,
    selectors: { mmtok: mmtokSelector({ backend }), random: randomSelector(), uniform: uniformSelector() },
    budgets: [{ tokens: 26 }],
  });
  await backend.dispose();
  const row = (name: string) => rows.find(({ selector }) => selector === name)!;
  expect(fullAccuracy).toBeGreaterThan(0.75);
  for (const { meanKept } of rows) expect(meanKept).toBe(26);
  expect(row('mmtok').retention.value).toBeGreaterThan(0.85);
  expect(row('mmtok').accuracy).toBeGreaterThan(row('random').accuracy + 0.1);
  expect(row('mmtok').accuracy).toBeGreaterThan(row('uniform').accuracy + 0.1);
}, 300_000);
