import { describe, expect, it } from 'vitest';
import { createReferenceBackend } from '../backend/reference/index.js';
import { textCoverage, visionCoverage } from '../coverage/index.js';
import { officialSelections } from '../testing/official-selections.js';
import { officialInputs } from '../testing/synthetic-features.js';
import { selectTokens } from './select-tokens.js';

describe('tmp', () => {
  officialSelections.forEach((c, i) => {
    it(`official ${i}`, async () => {
      const s = await selectTokens({
        backend: createReferenceBackend(),
        ...officialInputs(c),
        coverage: [
          textCoverage({ temperature: c.textTemperature }),
          visionCoverage({ temperature: c.visionTemperature, weight: c.alpha }),
        ],
        budget: { tokens: c.budget },
        constraints: { exclude: Array.from({ length: c.excludedFirst }, (_, j) => j) },
      });
      expect(s.order).toEqual(c.float64Order);
      expect(s.indices).toEqual(c.officialIndices);
      expect(s.value).toBeCloseTo(c.float64Coverage[2], 5);
    });
  });
});
