import { expect, it } from 'vitest';
import { fakeIo } from '../../test/fake-io.js';
import { fakeServices } from '../../test/fake-services.js';
import { isSupported } from '../engines/inspect-engines.js';
import { probe } from '../engines/probe.js';
import { main } from '../main.js';

it('shows what works and how to install the rest', async () => {
  const io = fakeIo();
  expect(await main(['doctor'], io, fakeServices().services)).toBe(0);
  expect(io.out()).toContain('Node 20.19.0 on linux x64 ✓');
  expect(io.out()).toMatch(/✓ cpu +onnxruntime-node 1\.30\.0, runs on cpu\n {4}lists cpu\n/);
  expect(io.out()).toMatch(/✗ @tensorflow\/tfjs +nothing found\n {4}Install one\.\n/);
});

it('prints JSON', async () => {
  const io = fakeIo();
  await main(['doctor', '--json'], io, fakeServices().services);
  expect(JSON.parse(io.out())).toMatchObject({
    node: { version: '20.19.0' },
    engines: [{ label: 'cpu' }, {}],
  });
});

it('fails if not even the CPU works', async () => {
  const io = fakeIo();
  expect(await main(['doctor'], io, fakeServices({ ortWorks: false }).services)).toBe(1);
  expect(io.out()).toContain('✗ cpu');
});

it('a probe tries the real engine', async () => {
  expect(await probe({ engine: 'ort', choice: 'cpu' })).toEqual({
    works: true,
    device: 'cpu',
    module: 'onnxruntime-node',
    version: expect.stringMatching(/^\d+\.\d+\.\d+/),
    listed: expect.arrayContaining(['cpu']),
  });
  expect(await probe({ engine: 'tfjs', choice: '@tensorflow/tfjs' })).toMatchObject({ works: true });
  expect(await probe({ engine: 'tfjs', choice: 'no-such-module' })).toMatchObject({
    works: false,
    problem: expect.stringContaining('no-such-module'),
    hint: expect.stringContaining('npm install'),
  });
});

it('checks the version of Node', () => {
  expect(['18.20.0', '20.18.3', '20.19.0', '22.0.0'].map(isSupported)).toEqual([false, false, true, true]);
});
