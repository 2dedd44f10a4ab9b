import { createReferenceBackend } from '@mmtok/core';
import { float32 } from '@mmtok/core/backend';
import { expect, it } from 'vitest';
import { TokenChooser } from './ask-question.js';

it('checks methods that were not made with defineMethod', async () => {
  const vision = float32(new Float32Array(12).fill(1), [6, 2]);
  const chooser = new TokenChooser(createReferenceBackend(), 0);
  const same = {
    name: 'same',
    title: 'Same',
    source: 'x',
    needs: [],
    select: async (_: unknown, { tokens }: { readonly tokens: number }) => new Array<number>(tokens).fill(3),
  };
  await expect(chooser.choose(same, { vision, imageIndex: 0 }, 4)).rejects.toMatchObject({
    code: 'MMTOK_METHOD',
    message: "Method 'same': it returned the index 3 twice.",
  });
});
