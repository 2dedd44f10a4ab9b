// The reference backend: the conformance suite, host tensors, half precision, and dispose().

import { describe, expect, it } from 'vitest';
import { DisposedError, InvalidTensorError, MmtokError } from '../errors.js';
import { describeBackend } from '../testing/describe-backend.js';
import { defineProgram } from './backend.js';
import { createReferenceBackend } from './reference-backend.js';
import { float32 } from './tensor.js';

describeBackend({ name: 'reference', create: createReferenceBackend });

const gram = defineProgram({
  name: 'gram',
  inputs: { x: { dims: ['n', 'd'] } },
  outputs: { g: { dims: ['n', 'n'] }, best: { dims: ['n'], dtype: 'int32' } },
  build: (ops, { x }) => {
    const g = ops.matMul(x, x, { transposeB: true });
    return { g, best: ops.argMax(g, 1) };
  },
});

describe('createReferenceBackend', () => {
  it('says what it is', () => {
    expect(createReferenceBackend()).toMatchObject({ name: 'reference', device: 'cpu', precision: 1e-6 });
  });

  it('returns float32 and int32 outputs', async () => {
    const { g, best } = await createReferenceBackend().run(gram, {
      x: float32(Float32Array.of(1, 2, 3, 4), [2, 2]),
    });
    expect(g).toEqual({ type: 'float32', data: Float32Array.of(5, 11, 11, 25), dims: [2, 2] });
    expect(best).toEqual({ type: 'int32', data: Int32Array.of(1, 1), dims: [2] });
  });

  it('widens float16 inputs', async () => {
    const x = {
      type: 'float16',
      data: Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400),
      dims: [2, 2],
    } as const;
    const { g } = await createReferenceBackend().run(gram, { x });
    expect(g.data).toEqual(Float32Array.of(5, 11, 11, 25));
  });

  it('writes an output into the given memory', async () => {
    const into = new Float32Array(4);
    const { g } = await createReferenceBackend().run(
      gram,
      { x: float32(Float32Array.of(1, 2, 3, 4), [2, 2]) },
      { into: { g: into } },
    );
    expect(g.data).toBe(into);
    expect([...into]).toEqual([5, 11, 11, 25]);
  });

  it('checks inputs', async () => {
    const wrong = createReferenceBackend().run(gram, { x: float32(Float32Array.of(1, 2), [2]) });
    await expect(wrong).rejects.toThrow(InvalidTensorError);
  });

  it('refuses to run after dispose(), which may be called twice', async () => {
    const backend = createReferenceBackend();
    await backend.dispose();
    await backend.dispose();
    const run = backend.run(gram, { x: float32(Float32Array.of(1), [1, 1]) });
    await expect(run).rejects.toThrow(DisposedError);
    await expect(run).rejects.toSatisfy((error) => MmtokError.isInstance(error, 'MMTOK_DISPOSED'));
  });
});
