import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { cpuTimeOf } from '../../test/cpu-time.js';
import { fakeTask } from '../../test/fake-run.js';
import { ids, record, run } from '../../test/sample-run.js';
import { type RunResult, summarizeRun, toCsv, toMarkdown, writeReport } from '../index.js';
import { escapeMarkdown, markdownCode } from './formats.js';
import { lostKinds } from './tables.js';
import { csvCell } from './write-report.js';

describe('kinds that every method loses', () => {
  // With all tokens everything is right. At 8 tokens both methods miss all shapes, and one misses all colors; at 4 both do.
  const lossy: RunResult = {
    ...run,
    records: ids.flatMap((id) => [
      record(id, 'all', 'all', 1),
      record(id, 'mmtok', '8', id < 'q5' ? 1 : 0),
      record(id, 'random', '8', 0),
      record(id, 'mmtok', '4', 0),
      record(id, 'random', '4', id === 'q0' ? 1 : 0),
    ]),
  };

  it('are listed with their budgets and the method that loses least', () => {
    const lost = lostKinds(summarizeRun(lossy));
    expect(lost.map(({ kind, budget }) => [kind, budget])).toEqual([
      ['color', '4'],
      ['shape', '8'],
      ['shape', '4'],
    ]);
    expect(lost[0]).toMatchObject({ full: 1, questions: 5, best: { score: 0.2, row: { method: 'random' } } });
    expect(lost[0]?.best.difference.high).toBeLessThan(0);
    const markdown = toMarkdown(summarizeRun(lossy));
    expect(markdown).toContain('## Kinds of question that every method loses');
    expect(markdown).toContain('| color | 4 | 5 | 100.0 | Random | 20.0 | -80.0 (');
  });

  it('are not listed if a method loses nothing, or within the noise', () => {
    expect(lostKinds(summarizeRun(run)).map(({ kind, budget }) => [kind, budget])).not.toContainEqual([
      'color',
      '8',
    ]);
    const none = {
      ...run,
      records: ids.flatMap((id) => [record(id, 'all', 'all', 1), record(id, 'mmtok', '8', 1)]),
    };
    expect(lostKinds(summarizeRun(none))).toEqual([]);
    expect(toMarkdown(summarizeRun(none))).not.toContain('every method loses');
  });
});

describe('a summary', () => {
  const summary = summarizeRun(run);
  const [mmtok8, random8, mmtok4] = summary.rows;

  it('compares each row with the same questions with all tokens', () => {
    expect(summary).toMatchObject({ questions: 10, full: { score: 0.8, visionTokens: 16, encodeMs: 10 } });
    expect(summary.rows.map(({ method, budget }) => [method, budget])).toEqual([
      ['mmtok', '8'],
      ['random', '8'],
      ['mmtok', '4'],
    ]);
    expect(mmtok8).toMatchObject({
      score: 0.5,
      lost: 4,
      won: 1,
      agreement: 0.5,
      keptTokens: 8,
      title: 'MMTok',
    });
    expect(mmtok8?.retention?.value).toBeCloseTo(0.625);
    expect(mmtok8?.difference.value).toBeCloseTo(-0.3);
    expect(random8?.retention?.value).toBeCloseTo(0.75);
    expect(mmtok4?.retention?.low).toBeLessThanOrEqual(0.25);
  });

  it('reports scores per kind, and times', () => {
    expect(mmtok8?.kinds).toMatchObject([
      {
        kind: 'color',
        questions: 5,
        score: 0.8,
        retention: 0.8,
        difference: { value: expect.closeTo(-0.2) },
      },
      { kind: 'shape', questions: 5, score: 0.2, retention: expect.closeTo(1 / 3) },
    ]);
    expect(summary.full.kinds[0]).not.toHaveProperty('difference');
    expect(mmtok8?.times).toEqual({ agentMs: 0, selectMs: 2, prefillMs: 8, firstTokenMs: 20 });
    expect(mmtok8?.speedup).toBeCloseTo(26 / 20);
  });

  it('counts the encoder time of pruned answers if they skipped tiles', () => {
    const records = run.records.map((one) => (one.method === 'all' ? one : { ...one, encodeMs: 4 }));
    const own = (settings: RunResult['settings']) => summarizeRun({ ...run, records, settings });
    const skipped = own({ ...run.settings, modelOptions: { tiles: '5' } });
    expect(skipped.full.encodeMs).toBe(10);
    expect(skipped.rows[0]?.times).toMatchObject({ firstTokenMs: 14 });
    // All tiles: the image was encoded again, e.g. because the run was resumed.
    expect(own(run.settings).rows[0]?.times).toMatchObject({ firstTokenMs: 20 });
  });

  it("includes an agent's time in the first token", () => {
    const records = run.records.map((one) => (one.method === 'mmtok' ? { ...one, agentMs: 5 } : one));
    const own = summarizeRun({ ...run, records, settings: { ...run.settings, agent: 'a small model' } });
    expect(own.rows[0]?.times).toEqual({ agentMs: 5, selectMs: 2, prefillMs: 8, firstTokenMs: 25 });
    const text = toMarkdown(own);
    expect(text).toContain('- Agent: a small model');
    expect(text).toContain('| MMTok | 8 | 8 | 5.00 | 2.00 | 8.00 | 25.0 | 1.04 × |');
    expect(toMarkdown(summary)).not.toContain('agent, ms');
  });

  it('reports the primary metric of a benchmark that is more than a mean', () => {
    const doubled = (answers: readonly { readonly score: { readonly value: number } }[]) => {
      const value = 200 * answers.filter(({ score }) => score.value > 0).length;
      return { count: answers.length, metric: 'sum', value, metrics: { sum: value } };
    };
    const own = summarizeRun(run, { aggregate: doubled });
    expect(own.full.primaryMetric).toEqual({ name: 'sum', value: 1600, retention: 1 });
    expect(own.rows[0]?.primaryMetric).toEqual({ name: 'sum', value: 1000, retention: 0.625 });
    expect(toMarkdown(own)).toContain('| MMTok | 8 | 1000.0000 | 62.5 |');
    expect(summary.full.primaryMetric).toBeUndefined();
  });

  it('shows the rows of the paper next to those of the same model and benchmark', () => {
    const { aggregate } = fakeTask(0);
    const paper = { column: 'POPE', factor: 100 };
    const model = 'Xenova/llava-1.5-7b-hf';
    const known = summarizeRun({ ...run, settings: { ...run.settings, model } }, { aggregate, paper });
    const text = toMarkdown(known);
    expect(text).toContain('| paper | MMTok | 64 | 85.77 |');
    expect(text).toContain('| this run | MMTok | 8 | 50.00 |');
    expect(summarizeRun(run, { aggregate, paper }).paper).toBeUndefined();
  });

  it('rejects a run without answers with all tokens', () => {
    const pruned = run.records.filter(({ method }) => method !== 'all');
    expect(() => summarizeRun({ ...run, records: pruned })).toThrow('no answers with all tokens');
    const partial = run.records.filter(({ method, id }) => method !== 'all' || id !== 'q3');
    expect(() => summarizeRun({ ...run, records: partial })).toThrow(
      "Question 'q3' has no answer with all tokens",
    );
  });

  it('resamples groups together: duplicating every question does not narrow intervals', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(1), fc.nat(1)), { minLength: 3, maxLength: 12 }), (scores) => {
        const records = scores.flatMap(([full, pruned], at) => [
          record(`a${at}`, 'all', 'all', full, { group: `g${at}` }),
          record(`a${at}`, 'mmtok', '4', pruned, { group: `g${at}` }),
        ]);
        const twins = records.map((one) => ({ ...one, id: `${one.id}'` }));
        const once = summarizeRun({ ...run, records }).rows[0]?.difference;
        const twice = summarizeRun({ ...run, records: [...records, ...twins] }).rows[0]?.difference;
        expect(twice?.low).toBeCloseTo(once?.low as number);
        expect(twice?.high).toBeCloseTo(once?.high as number);
      }),
      { numRuns: 10 },
    );
  });
});

describe('tables', () => {
  it('as CSV', () => {
    const lines = toCsv(summarizeRun(run)).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^method,budget,kind,questions,kept_tokens,score,retention/);
    expect(lines).toHaveLength(1 + 4 * 3);
    expect(lines).toContain('mmtok,8,shape,5,8,0.2,0.33333,,,,,,,,,,');
    expect(new Set(lines.map((line) => line.split(',').length)).size).toBe(1);
  });

  it('as Markdown, including methods that beat MMTok', () => {
    const text = toMarkdown(summarizeRun(run));
    expect(text).toContain('| MMTok | 62.5 (');
    expect(text).toContain('- 8 (MMTok 50.0): Random 60.0');
    expect(text).toContain('`mmtok eval fake`');
  });

  it('as Markdown, with line breaks in titles and kinds as spaces', () => {
    const records = run.records.map((one) => ({ ...one, kind: 'in two\r\n lines' }));
    const methods = [{ name: 'mmtok', title: 'MM\nTok', source: 'x' }];
    const text = toMarkdown(
      summarizeRun({ ...run, records, settings: { ...run.settings, methods, title: 'A\nB' } }),
    );
    expect(text).toContain('# A B: a &lt;model&gt;\n');
    expect(text).toContain('| score in % | in two lines | all |');
    expect(text).toContain('| MM Tok | mmtok | – | x |');
    expect(text).not.toContain('\r');
  });
});

describe('malicious text in files and answers', () => {
  const hostile = `=cmd|' /C calc'!A0 <script>alert(1)</script>"><img src=x onerror=alert(1)> [a](javascript:alert(1)) | \`b\` _c_\n# d`;
  const records = run.records.map((one) => ({
    ...one,
    kind: hostile,
    question: hostile,
    answer: hostile,
    target: hostile,
  }));
  const methods = run.settings.methods.map((method) => ({ ...method, title: hostile, source: hostile }));
  const all = { title: hostile, model: hostile, backend: hostile, machine: hostile, agent: hostile };
  const settings = { ...run.settings, ...all, methods, started: hostile, command: hostile };
  const attacked: RunResult = { ...run, records, settings };
  const summary = summarizeRun(attacked);

  it('stays text in Markdown', () => {
    const text = toMarkdown(summary);
    // Within a code span everything is text.
    const outside = text.replace(/``.*``/g, '');
    expect(text.split('\n').filter((line) => line.includes('``'))).toHaveLength(1);
    expect(outside).not.toMatch(/<script|<img|[^\\]\[a|[^\\]`b|[^\\]_c_/);
    expect(text.split('\n').filter((line) => line.startsWith('#'))).toHaveLength(8);
    const widths = text
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.replaceAll('\\|', '').split('|').length);
    expect(new Set(widths).size).toBeLessThanOrEqual(5);
  });

  it('is not a formula in CSV', () => {
    const named = attacked.records.map((one) => ({ ...one, method: one.method === 'all' ? 'all' : '=1+1' }));
    const csv = toCsv(summarizeRun({ ...attacked, records: named }));
    expect(csv).not.toMatch(/(^|,)"?\s*[=+@-]/m);
    expect(csv).toContain("'=1+1");
    for (const text of ['@x', '+1', '-1', '\t=1', ' =1', '\u0000=1', '\u200b=1', '＝1', '＠x'])
      expect(csvCell(text)).toBe(`'${text}`);
    expect(csvCell('a=1')).toBe('a=1');
    expect(csvCell(-1)).toBe('-1');
  });

  it('is quoted in CSV', () => {
    const broken = attacked.records.map((one) => ({ ...one, kind: 'a\r"b",c' }));
    expect(toCsv(summarizeRun({ ...attacked, records: broken }))).toContain('"a\r""b"",c"');
  });

  it('stays text on the page', async () => {
    const [page] = (await writeReport(attacked)) as [string];
    const html = readFileSync(page, 'utf8');
    expect(html).not.toMatch(/<script|<img/);
    expect(parseHTML(html).document.querySelector('script, img, [onerror], a[href^=javascript]')).toBeNull();
  });

  it('takes linear time', () => {
    for (const shape of [' ', '\n', '`', '`a', '<', '|', '*', "'", '=']) {
      const text = `a${shape.repeat(1_000_000 / shape.length)}b`;
      const ms = cpuTimeOf(() => {
        for (const escaped of [escapeMarkdown, markdownCode, csvCell]) escaped(text);
      });
      expect(ms, shape).toBeLessThan(20_000);
    }
  });
});
