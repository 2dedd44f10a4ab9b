import { describe, expect, it } from 'vitest';
import { fakeIo } from '../test/fake-io.js';
import { loadLibraryModel } from './models/load.js';
import {
  modelName,
  parseCount,
  parseDtype,
  parseFocus,
  parseIndices,
  parseInteger,
  parseKeep,
  parseNumber,
  parseTiles,
  tilesAsWritten,
} from './options.js';

describe('parseKeep', () => {
  it.each([
    ['64', { tokens: 64 }],
    ['10%', { ratio: 0.1 }],
    ['c0.95', { coverage: 0.95 }],
  ])('reads %s', (text, budget) => {
    expect(parseKeep(text)).toEqual(budget);
  });

  it.each(['0', '-3', '0%', '101%', 'c0', 'c1.5', '1.5', '', 'all'])("refuses '%s'", (text) => {
    expect(() => parseKeep(text)).toThrow(expect.objectContaining({ code: 'MMTOK_USAGE' }));
    expect(() => parseKeep(text)).toThrow(`such as c0.95, got '${text}'.`);
  });
});

describe('parseTiles', () => {
  it.each([
    ['5', { max: 5 }],
    ['30%', { share: 0.3 }],
    ['7%', { share: 0.07 }],
    ['100%', { share: 1 }],
    ['worth=0.2', { worth: 0.2 }],
    ['worth=1,min=2', { worth: 1, min: 2 }],
    ['worth=.5,max=9', { worth: 0.5, max: 9 }, 'worth=0.5,max=9'],
    ['worth=0.2, min=2, max=9', { worth: 0.2, min: 2, max: 9 }, 'worth=0.2,min=2,max=9'],
    ['worth', { worth: 0.2 }, 'worth=0.2'],
    ['worth,max=9', { worth: 0.2, max: 9 }, 'worth=0.2,max=9'],
    ['all', 'all'],
  ] as const)('reads %s', (text, tiles, written: string = text) => {
    expect(parseTiles('--tiles', text)).toEqual(tiles);
    expect(tilesAsWritten(tiles)).toBe(written);
  });

  it.each([
    ...['', '0', '1.5', '-2', '0%', '101%', '%', 'some', 'worth=0', 'worth=1.1', 'worth=x', 'worth='],
    ...[
      'worth,min=0',
      'worth,min=3,max=2',
      'worth,max=2,min=1',
      '5,max=9',
      'all,max=3',
      '99999999999999999999',
    ],
  ])("refuses '%s'", (text) => {
    expect(() => parseTiles('--tiles', text)).toThrow(expect.objectContaining({ code: 'MMTOK_USAGE' }));
    expect(() => parseTiles('--tiles', text)).toThrow(`got '${text}'.`);
  });
});

describe('parseFocus', () => {
  it('reads numbers and auto', () => {
    expect([parseFocus('4'), parseFocus(' 0.5'), parseFocus('auto')]).toEqual([4, 0.5, 'auto']);
    for (const text of ['', 'strong', 'NaN'])
      expect(() => parseFocus(text)).toThrow('--focus: expected a number');
  });
});

describe('parseIndices', () => {
  it('reads ranges and single indices', () => {
    expect(parseIndices('--exclude', '0-3, 40,7-7')).toEqual([0, 1, 2, 3, 40, 7]);
  });

  it.each(['', '3-1', 'a', '1,,2', '-4', '1.5', '0-99999999999999999'])("refuses '%s'", (text) => {
    expect(() => parseIndices('--exclude', text)).toThrow(
      `--exclude: expected indices and ranges such as 0-23,40, got '${text}'.`,
    );
  });

  it.each(['0-1000000', '0-999999,5', '0-999999,0-999999', '1-99999999999'])(
    "refuses '%s' as too many",
    (text) => {
      expect(() => parseIndices('--exclude', text)).toThrow('--exclude: expected at most 1000000 indices');
    },
  );
});

describe('parseNumber, parseInteger and parseCount', () => {
  it('read numbers', () => {
    expect(parseNumber('--alpha', '0.5')).toBe(0.5);
    expect(parseInteger('--seed', '-3')).toBe(-3);
    expect(parseCount('--questions', '3')).toBe(3);
  });

  it.each(['', 'x', 'Infinity', 'NaN'])("refuse '%s'", (text) => {
    expect(() => parseNumber('--alpha', text)).toThrow('--alpha: expected a number');
  });

  it.each(['1.5', '99999999999999999999'])("parseInteger refuses '%s'", (text) => {
    expect(() => parseInteger('--seed', text)).toThrow('--seed: expected a whole number');
  });

  it.each(['0', '-1', '1.5', '99999999999999999999'])("parseCount refuses '%s'", (text) => {
    expect(() => parseCount('--questions', text)).toThrow('--questions: expected a whole number from 1');
  });
});

describe('modelName', () => {
  it('completes the names of embedded models', () => {
    expect(['tiled', 'small', 'tiny-tiled', 'tiny', './small', 'a/b'].map(modelName)).toEqual([
      'tiny-tiled',
      'tiny-small',
      'tiny-tiled',
      'tiny',
      './small',
      'a/b',
    ]);
  });
});

describe('parseDtype', () => {
  it('reads one precision, or one per part', () => {
    expect(parseDtype('q4')).toBe('q4');
    expect(parseDtype('vision_encoder=fp16, decoder_model_merged=q4')).toEqual({
      vision_encoder: 'fp16',
      decoder_model_merged: 'q4',
    });
  });

  it.each(['', 'a=', 'q4,q8'])("refuses '%s'", (text) => {
    expect(() => parseDtype(text)).toThrow('--dtype: expected a precision');
  });

  it.each([
    ['nonsense', "unknown precision 'nonsense'. Precisions are auto, fp32, fp16, q8, "],
    ['vision_encoder=q44', "unknown precision 'q44'"],
    ['vision_encodr=fp16', "unknown part 'vision_encodr'. Parts are vision_encoder, embed_tokens, "],
    ['toString', "unknown precision 'toString'"],
  ])("rejects the unknown name in '%s', which the library would treat as fp32", (text, problem) => {
    expect(() => parseDtype(text)).toThrow(expect.objectContaining({ code: 'MMTOK_USAGE' }));
    expect(() => parseDtype(text)).toThrow(`--dtype: ${problem}`);
  });

  it.each(['tiny', 'tiny-small', 'tiny-tiled'])('knows the parts of %s', async (model) => {
    const loaded = await loadLibraryModel({ model }, fakeIo());
    for (const part of Object.keys(loaded.model.sessions)) {
      expect(parseDtype(`${part}=q8`)).toEqual({ [part]: 'q8' });
    }
    await loaded.model.dispose();
  });
});
