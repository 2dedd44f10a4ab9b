import { describe, expect, it } from 'vitest';
import { createBackend } from './create-backend.js';

describe('createBackend', () => {
  it.each([
    ['cpu', 'reference', 'cpu'],
    ['ort', 'ort', 'cpu'],
  ] as const)('makes %s', async (name, engine, device) => {
    const backend = await createBackend(name, 'cpu');
    expect([backend.name, backend.device]).toEqual([engine, device]);
    await backend.dispose();
  });

  it('creates tfjs on the requested TensorFlow.js backend', async () => {
    const backend = await createBackend('tfjs', 'cpu');
    expect([backend.name, backend.device]).toEqual(['tfjs', 'cpu']);
    await backend.dispose();
  });

  it('rejects unknown names and devices', async () => {
    await expect(createBackend('abacus' as never)).rejects.toMatchObject({
      code: 'MMTOK_INVALID_OPTIONS',
      message: expect.stringContaining('expected one of ort, tfjs, cpu'),
    });
    await expect(createBackend('cpu', 'cuda')).rejects.toThrow('use --backend ort');
    await expect(createBackend('ort', 'abacus')).rejects.toMatchObject({ code: 'MMTOK_INVALID_OPTIONS' });
    await expect(createBackend('tfjs', 'abacus')).rejects.toMatchObject({
      code: 'MMTOK_BACKEND_UNAVAILABLE',
    });
  });
});
