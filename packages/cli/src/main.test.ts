import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { fakeServices } from '../test/fake-services.js';
import { main } from './main.js';

async function run(...argv: readonly string[]) {
  const io = fakeIo();
  const exitCode = await main(argv, io, fakeServices().services);
  return { exitCode, out: io.out(), err: io.err() };
}

describe('mmtok', () => {
  it('prints help and version', async () => {
    const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
    expect(await run('--version')).toEqual({ exitCode: 0, out: `${version}\n`, err: '' });
    const help = await run('--help');
    expect(help).toMatchObject({ exitCode: 0, err: '' });
    expect(help.out).toContain('Examples:');
  });

  it('shows the options of a run in the help of eval', async () => {
    for (const argv of [
      ['eval', '--help'],
      ['eval', 'shapes', '--help'],
    ]) {
      const { exitCode, out } = await run(...argv);
      expect(exitCode).toBe(0);
      for (const option of ['--model', '--methods', '--keep', '--shard', '--json'])
        expect(out).toContain(`${option} `);
    }
    expect((await run('eval', 'speed', '--help')).out).not.toContain('--methods');
  });

  it.each(['ask', 'select', 'demo', 'doctor'])('%s has help with examples', async (command) => {
    const { exitCode, out } = await run(command, '--help');
    expect(exitCode).toBe(0);
    expect(out).toMatch(new RegExp(`Examples:\n  mmtok ${command}`));
  });

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'\n(mmtok --help shows its commands)"],
    [['evl'], '(Did you mean eval?)'],
    [['ask'], 'missing required argument'],
    [['ask', 'what is it?'], "Expected one or more images and then a question, got only 'what is it?'"],
    [['ask', 'a.png', '  '], 'The question is empty'],
    [['ask', 'a.png', 'what?', '--backend', 'abacus'], 'Allowed choices are ort, tfjs, cpu'],
    [
      ['ask', 'a.png', 'what?', '--keep', '0'],
      "--keep: expected a number of tokens such as 64, a percentage up to 100% such as 10%, or a coverage up to 1 such as c0.95, got '0'",
    ],
    [['ask', 'a.png', 'what?', '--keep', '-3'], "got '-3'"],
    [['ask', 'a.png', 'what?', '--keep', '120%'], "got '120%'"],
    [['ask', 'a.png', 'what?', '--tiles', 'some'], '--tiles: expected a number of tiles such as 5'],
    [['ask', 'a.png', 'what?', '--dtype', 'q4,q8'], '--dtype: expected a precision'],
    [['ask', 'a.png', 'what?', '--max-new-tokens', '0'], '--max-new-tokens: expected a whole number'],
    [['ask', 'a.png', 'what?', '--frob'], "unknown option '--frob'"],
    [['ask', 'missing.png', 'what?'], "Cannot use 'missing.png': there is no such file or folder."],
    [['select', 'x.safetensors'], "required option '--keep <budget>' not specified"],
    [['select', 'missing.safetensors', '--keep', '3'], 'there is no such file'],
    [['select', 'x', '--keep', '3', '--alpha', 'much'], "--alpha: expected a number, got 'much'"],
    [['select', 'x', '--keep', '3', '--alpha', '-1'], 'weight'],
    [['select', 'x', '--keep', '3', '--text-temperature', '0'], 'temperature'],
    [['select', 'x', '--keep', '3', '--focus', '-1'], 'focus'],
    [['select', 'x', '--keep', '3', '--focus', '4', '--alpha', '1'], "cannot be used with option '--alpha"],
    [['ask', 'a.png', 'what?', '--focus', '-1'], 'focus'],
    [
      ['ask', 'a.png', 'what?', '--focus', 'much'],
      "--focus: expected a number such as 3, or auto, got 'much'",
    ],
    [['select', 'x', '--keep', '3', '--exclude', '5-1'], '--exclude: expected indices'],
    [['demo', '--questions', 'x'], '--questions: expected a number'],
  ])('%j ends with 2 and one line', async (argv, problem) => {
    const { exitCode, out, err } = await run(...argv);
    expect(exitCode).toBe(2);
    expect(out).toBe('');
    expect(err).toContain(problem);
    expect(err).toMatch(/^error: /);
    expect(err).not.toMatch(/\n {4}at /);
  });

  it.each([
    [['ask', 'a.png', 'what?', '--zzz'], 'mmtok ask'],
    [['eval', 'shapes', '--zzz'], 'mmtok eval'],
    [['eval', 'speed', '--dims', 'x', '--zzz'], 'mmtok eval speed'],
    [['eval', 'report', 'run', '--zzz'], 'mmtok eval report'],
  ])("%j points to that command's help", async (argv, command) => {
    const { err } = await run(...argv);
    expect(err).toBe(`error: unknown option '${argv.at(-1)}'\n(${command} --help shows its options)\n`);
  });

  it('suggests the option that a misspelled one resembles', async () => {
    expect((await run('eval', 'shapes', '--limmit', '3')).err).toContain('Did you mean --limit?');
    expect((await run('eval', 'speed', '--dims', 'x', '--layerz', '2')).err).toContain(
      'Did you mean --layers?',
    );
  });

  it('distinguishes failures from bad input, and shows stacks only on request', async () => {
    const io = fakeIo();
    const services = {
      ...fakeServices().services,
      inspectEngines: () => Promise.reject(new Error('no\nmemory', { cause: new Error('too many cats') })),
    };
    expect(await main(['doctor'], io, services)).toBe(1);
    expect(io.err()).toBe('error: no memory (run again with --debug to see where)\n');
    const debug = fakeIo();
    expect(await main(['doctor', '--debug'], debug, services)).toBe(1);
    expect(debug.err()).toMatch(/Error: no\nmemory\n {4}at [\s\S]*caused by Error: too many cats/);
  });
});
