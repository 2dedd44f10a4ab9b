// Runs every example and looks at what it prints. An example without a test here fails.

import { readdirSync } from 'node:fs';
import { expect, test, vi } from 'vitest';

async function run(example: string): Promise<string> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => {});
  try {
    await import(/* @vite-ignore */ `${import.meta.dirname}/${example}.js`);
    return log.mock.calls.map((line) => line.map((part) => JSON.stringify(part)).join(' ')).join('\n');
  } finally {
    log.mockRestore();
  }
}

const examples: Readonly<Record<string, (output: string) => void>> = {
  'answer-first': (output) => {
    const [vague, pointed] = output.split('\n');
    expect(vague).not.toMatch(/Alone: mostly triangles on white/);
    expect(vague).toMatch(/\(enriched, Mostly triangles white added\): mostly triangles on white\./);
    expect(pointed).toMatch(/pink object\? Alone: triangle\. .*\(notAsked, nothing added\): triangle\./);
  },
  'own-features': (output) => {
    expect(output).toContain('kept 12 of 144 tokens');
    expect(output).toMatch(/asked for the wall, first pick:" \d+/);
  },
  'choose-a-backend': (output) => {
    const kept = [...output.matchAll(/keeps ([\d, ]+)/g)].map(([, indices]) => indices);
    expect(kept).toHaveLength(3);
    expect(new Set(kept).size).toBe(1);
  },
  'custom-weights': (output) => {
    expect(output).toMatch(/as the paper: .* first: plant/);
    expect(output).toMatch(/cup first: .* first: cup/);
    const cups = (title: string) => Number(new RegExp(`${title}: cup (\\d+)`).exec(output)?.[1]);
    expect(cups('cup in detail')).toBeGreaterThan(cups('as the paper'));
    const walls = (title: string) => Number(new RegExp(`${title}: .*wall (\\d+)`).exec(output)?.[1]);
    expect(walls('focused')).toBeLessThan(walls('as the paper'));
  },
  'center-prior': (output) => {
    const lines = output.split('\n').filter((line) => line.includes('first pick'));
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toMatch(/first pick (65|66|77|78),.*"center":/);
  },
  'keep-a-region': (output) => {
    expect(output).toContain('whole region kept (9 of 9)');
    const [, lower] = /upper half only:\\n(.*)"/.exec(output) ?? [];
    expect(lower?.split('\\n').slice(6).join('')).not.toMatch(/[CPW]/);
    expect(output).toMatch(/4 to 6 tokens of the region \([456]\)/);
    expect(output).toMatch(/region favored \([6-9]\)/);
  },
  'ask-a-model': (output) => {
    const [pruned, all, pieces] = output.split('\n');
    expect(pruned).toMatch(/picture\? yes \(57 of 576 vision tokens\)/);
    expect(all).toMatch(/picture\? yes \(576 of 576 vision tokens\)/);
    expect(pieces).toMatch(/"pieces:" \["\w+"," \w+",.*"prefillMs":/);
  },
  'own-selector': (output) => {
    expect(output.match(/of 6 correct with 16 of 576/g)).toHaveLength(2);
  },
  'prune-a-model': (output) => {
    expect(output.match(/57 of 576 vision tokens/g)).toHaveLength(3);
    expect(output).toMatch(/ (\w+) \(expected \1;/);
  },
};

test.each(Object.entries(examples))('%s', async (example, check) => check(await run(example)));

test('every example has a test', () => {
  const files = readdirSync(import.meta.dirname).filter(
    (file) => file.endsWith('.js') && file !== 'scene.js',
  );
  expect(files.map((file) => file.replace(/\.js$/, ''))).toEqual(Object.keys(examples).sort());
});
