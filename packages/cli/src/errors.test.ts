import { BackendUnavailableError } from '@mmtok/core';
import { PruningError, RunError, RunStoppedError, WriteError } from '@mmtok/eval';
import { CommanderError } from 'commander';
import { expect, it } from 'vitest';
import {
  explainFailure,
  HubUnreachableError,
  InputFileError,
  orInputFileError,
  SafetensorsError,
  UsageError,
} from './errors.js';

const system = (code: string): Error => Object.assign(new Error(code), { code, path: '/a' });

// The codes of the README: 0 success, 1 failure, 2 wrong usage or bad input, 130 interrupted.
it.each<[what: string, error: unknown, exitCode: number]>([
  ['help', new CommanderError(0, 'commander.help', ''), 0],
  ['an unknown option', new CommanderError(1, 'commander.unknownOption', ''), 2],
  ['an invalid value', new UsageError('x'), 2],
  ['a missing file', new InputFileError('a', 'x', { cause: system('ENOENT') }), 2],
  ['a damaged file', new SafetensorsError('x'), 2],
  ['another run in the folder', new RunError('x'), 2],
  ['a path that is a folder', new WriteError('x', { cause: system('EISDIR') }), 2],
  ['a folder without permission', system('EACCES'), 2],
  ['a full disk under a report', new WriteError('x', { cause: system('ENOSPC') }), 1],
  ['a full disk under an overlay', new InputFileError('a', 'x', { cause: system('ENOSPC') }), 1],
  ['a full disk', system('ENOSPC'), 1],
  ['a missing engine', new BackendUnavailableError('ort', 'x', 'y'), 1],
  ['no network', new HubUnreachableError('a/b'), 1],
  ['nothing pruned', new PruningError('x'), 1],
  ['a bug', new Error('x'), 1],
  ['an interrupt', new RunStoppedError('x'), 130],
])('%s has its exit code', (_, error, exitCode) => {
  expect(explainFailure(error, false).exitCode).toBe(exitCode);
});

it('names the file and the reason', async () => {
  await expect(
    orInputFileError('o.png', 'it cannot be written', () => Promise.reject(system('ENOENT'))),
  ).rejects.toMatchObject({ code: 'MMTOK_INPUT_FILE', path: 'o.png', cause: { code: 'ENOENT' } });
});
