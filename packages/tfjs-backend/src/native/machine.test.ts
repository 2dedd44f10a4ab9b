import { describe, expect, it } from 'vitest';
import { checkMachine, type Machine } from './machine.js';

const good: Machine = { platform: 'linux', arch: 'x64', has: () => true, freeBytes: () => 1e12 };
const without = (tool: string): Machine => ({
  ...good,
  has: (command, args) => command !== tool && !args.includes(tool),
});

describe('checkMachine', () => {
  it('accepts a machine that has everything', () => {
    expect(() => checkMachine('cuda', '/cache', good)).not.toThrow();
  });

  it.each([
    [{ ...good, platform: 'darwin', arch: 'arm64' }, /darwin arm64.*@tensorflow\/tfjs-node/],
    [{ ...good, arch: 'arm64' }, /linux arm64/],
    [without('g++'), /g\+\+ was not found.*apt-get install g\+\+/],
    [without('python3'), /python3 was not found.*apt-get install python3/],
    [without('pip'), /pip was not found.*python3-pip/],
    [without('npm'), /npm was not found/],
    [{ ...good, freeBytes: () => 1e9 }, /2\.0 GB.*\/cache.*1\.0 GB.*--dir/],
  ])('names what is missing (%#)', (machine, message) => {
    expect(() => checkMachine('cpu', '/cache', machine)).toThrow(message);
  });

  it('asks for more space for CUDA', () => {
    expect(() => checkMachine('cuda', '/cache', { ...good, freeBytes: () => 3e9 })).toThrow(/needs 8\.0 GB/);
  });
});
