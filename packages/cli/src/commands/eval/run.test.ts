import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { builtInMethods, type RunProgress, taskNames } from '@mmtok/eval';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../../vitest.temporary.js';
import { fakeIo } from '../../../test/fake-io.js';
import { fakeServices } from '../../../test/fake-services.js';
import { main } from '../../main.js';
import { createEvalProgress } from './run.js';

async function runWith(options: Parameters<typeof fakeServices>[0], cwd: string, ...argv: readonly string[]) {
  const io = fakeIo({ cwd });
  const { services, agents } = fakeServices(options);
  const exitCode = await main(['eval', ...argv], io, services);
  return { exitCode, out: io.out(), err: io.err(), agents };
}

const run = (cwd: string, ...argv: readonly string[]) => runWith({}, cwd, ...argv);

describe('mmtok eval', () => {
  it('has help with examples, at every level', async () => {
    for (const argv of [['--help'], ['report', '--help'], ['merge', '--help']]) {
      const { exitCode, out } = await run('/', ...argv);
      expect(exitCode).toBe(0);
      expect(out).toMatch(/Examples:\n {2}mmtok eval/);
    }
    const help = (await run('/', '--help')).out;
    expect(help).toContain('Tasks: shapes and signs (embedded), ');
    for (const name of taskNames) expect(help).toContain(name);
    expect(help).not.toContain('default: false');
  });

  it('compares two runs', async () => {
    const cwd = temporary();
    const flags = ['shapes', '--limit', '4', '--keep', '4', '--methods', 'random,uniform', '--out'];
    await run(cwd, ...flags, 'a');
    await run(cwd, ...flags, 'b', '--seed', '0');
    const { exitCode, out, err } = await run(cwd, 'compare', 'a', 'b', '--out', 'difference');
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toMatch(/^A: a: tiny, seed 0$/m);
    expect(out).toMatch(/^all tokens +\d+ +16 +16 .* within chance$/m);
    expect(out).toContain(`Page: ${join('difference', 'compare.html')}`);
    expect((await readdir(join(cwd, 'difference'))).toSorted()).toEqual(['compare.html', 'compare.md']);
    expect(JSON.parse((await run(cwd, 'compare', 'a', 'b', '--json')).out).rows).toHaveLength(3);
    expect(await run(cwd, 'compare', 'a', 'c')).toMatchObject({ exitCode: 2 });
  });

  it('lists the methods, with what each needs', async () => {
    const { exitCode, out, err } = await run('/', 'methods');
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toMatch(/^divprune +DivPrune +features only +https:/m);
    expect(out).toMatch(/^mmtok-ivc .* positions +https:/m);
    expect(out).toMatch(/^mmtok-agent .* agent/m);
    const json = JSON.parse((await run('/', 'methods', '--json')).out);
    expect(json.map(({ name }: { name: string }) => name)).toEqual(builtInMethods.map(({ name }) => name));
    expect(json.find(({ name }: { name: string }) => name === 'zspaprune').needs).toEqual(['question']);
  });

  it('asks the tiled model about signs, under its short name too', async () => {
    const cwd = temporary();
    const flags = ['--limit', '4', '--methods', 'uniform', '--keep', '4', '--out'];
    const tiles = 'worth=0.2,min=2,max=9';
    const { exitCode, out, err } = await run(cwd, '--model', 'tiled', '--tiles', tiles, ...flags, 'run');
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: '' });
    expect(out).toContain(`Shapes and signs: 4 questions, model tiny-tiled (tiles ${tiles}), methods on `);
    const settings = JSON.parse(await readFile(join(cwd, 'run', 'run.json'), 'utf8'));
    expect(settings).toMatchObject({ task: 'signs', model: 'tiny-tiled', modelOptions: { tiles } });
    expect(settings.command).toContain('eval signs --model tiny-tiled');
    expect(settings.command).toContain(`--tiles ${tiles}`);
    expect((await run(cwd, 'report', 'run')).exitCode).toBe(0);
    expect(await readFile(join(cwd, 'run', 'report.md'), 'utf8')).toContain(`tiles ${tiles}`);
    expect((await run(cwd, '--model', 'tiny-small', ...flags, 'small')).out).toContain('Shapes: 4 questions');
    const all = await run(cwd, 'signs', '--model', 'tiny-tiled', ...flags, 'all');
    expect(all.exitCode).toBe(0);
    const compared = await run(cwd, 'compare', 'run', 'all', '--json');
    expect(JSON.parse(compared.out).rows).toHaveLength(2);
    expect((await run(cwd, 'compare', 'run', 'all')).out).toContain(
      `A: run: tiny-tiled, tiles ${tiles}, seed 0`,
    );
    expect((await run(cwd, 'compare', 'run', 'small')).exitCode).toBe(2);
  });

  it('runs, resumes, and reports', async () => {
    const cwd = temporary();
    const shapes = ['shapes', '--limit', '6', '--out', 'run'];
    const first = await run(cwd, ...shapes, '--methods', 'mmtok,random', '--keep', '4,c0.5');
    expect(first).toMatchObject({ exitCode: 0, err: '' });
    expect(first.out).toContain('Shapes: 6 questions, model tiny');
    expect(first.out).toMatch(/mmtok +4 +4 /);
    expect(first.out).toContain(`Report: ${join('run', 'report.html')}`);
    expect(await readdir(join(cwd, 'run'))).toContain('report.html');
    const more = await run(cwd, ...shapes, '--methods', 'uniform', '--keep', '4', '--json');
    expect(JSON.parse(more.out).rows.map((row: { method: string }) => row.method)).toContain('mmtok');
    const lines = (await readFile(join(cwd, 'run', 'records.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(6 * (1 + 2 * 2 + 1));
    const settings = JSON.parse(await readFile(join(cwd, 'run', 'run.json'), 'utf8'));
    expect(settings.command.split('; ')).toEqual([
      'mmtok eval shapes --model tiny --methods mmtok,random --keep 4,c0.5 --out run --backend ort --limit 6',
      'mmtok eval shapes --model tiny --methods uniform --keep 4 --out run --backend ort --limit 6',
    ]);

    const report = await run(cwd, 'report', 'run');
    expect(report.exitCode).toBe(0);
    expect(report.out.trimEnd().split('\n').at(0)).toBe(join(cwd, 'run', 'report.html'));
    expect((await readdir(join(cwd, 'run'))).toSorted()).toEqual([
      'records.jsonl',
      'report.csv',
      'report.html',
      'report.md',
      'run.json',
    ]);
  });

  it('warns in advance that a budget prunes nothing, keeps the results, and fails', async () => {
    const cwd = temporary();
    const flags = ['shapes', '--limit', '2', '--methods', 'random', '--out', 'run', '--keep'];
    const { exitCode, out, err } = await run(cwd, ...flags, '16,4');
    expect(exitCode).toBe(1);
    expect(out).toMatch(/random \(nothing pruned\) +16 /);
    expect(out).toContain('Report: ');
    expect(err).toMatch(/^note: the budget 16 prunes nothing in the first question, .* 16 vision tokens/);
    expect(err).toContain('error: Nothing was pruned at 16: ');
    expect((await run(cwd, 'report', 'run')).exitCode).toBe(0);
  });

  it('stops gracefully and resumes', async () => {
    const cwd = temporary();
    let stop: (() => void) | undefined;
    const io = fakeIo({ cwd });
    const interrupt = {
      listen(listener: () => void) {
        stop = listener;
        return () => {
          stop = undefined;
        };
      },
    };
    const { services } = fakeServices({ onEvalAnswer: () => stop?.() });
    const flags = ['shapes', '--limit', '2', '--methods', 'random', '--keep', '4', '--out', 'run'];
    expect(await main(['eval', ...flags], { ...io, interrupt }, services)).toBe(130);
    expect(io.err()).toMatch(
      /^Stopping after this answer\..*\nerror: Stopped\. The 1 answers so far are kept in/,
    );
    expect(stop).toBeUndefined();
    expect((await run(cwd, ...flags)).exitCode).toBe(0);
    expect((await readFile(join(cwd, 'run', 'records.jsonl'), 'utf8')).trimEnd().split('\n')).toHaveLength(4);
  });

  it('skips broken questions on request, with its own exit code', async () => {
    const cwd = temporary();
    await mkdir(join(cwd, 'task'));
    const lines = ['a', 'b'].map((name) => ({
      id: name,
      image: `${name}.png`,
      question: 'q?',
      answer: 'yes',
    }));
    for (const name of ['a', 'b']) await writeFile(join(cwd, 'task', `${name}.png`), name);
    await writeFile(join(cwd, 'task', 'q.jsonl'), lines.map((line) => JSON.stringify(line)).join('\n'));
    const flags = ['./task', '--methods', 'random', '--keep', '4', '--out', 'run'];
    const broken = { brokenImage: 'b' };
    const refused = await runWith(broken, cwd, ...flags);
    expect(refused).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("Question 'b' cannot be asked"),
    });
    expect(refused.err).toContain('--skip-broken');
    const skipped = await runWith(broken, cwd, ...flags, '--skip-broken');
    expect(skipped.exitCode).toBe(3);
    expect(skipped.out).toContain('task: 1 questions');
    expect(skipped.err).toMatch(/skipped: question 'b': .*\nerror: 1 of 2 questions were skipped/);
    expect(await run(cwd, ...flags)).toMatchObject({ exitCode: 0, err: '' });
  });

  it('compares answers as requested, and resumes only with the same comparison', async () => {
    const cwd = temporary();
    await mkdir(join(cwd, 'task'));
    await writeFile(join(cwd, 'task', 'a.png'), 'a');
    await writeFile(join(cwd, 'task', 'q.jsonl'), '{"image":"a.png","question":"q?","answer":"yess"}');
    const flags = ['./task', '--methods', 'random', '--keep', '4', '--out', 'run'];
    const near = await run(cwd, ...flags, '--match', 'anls', '--json');
    expect(JSON.parse(near.out).full.score).toBe(0.75);
    expect((await run(cwd, ...flags)).err).toContain('other settings');
    expect((await run(cwd, ...flags, '--match', 'fuzzy')).err).toContain('Allowed choices are exact');
    expect((await run(cwd, 'shapes', '--match', 'anls')).err).toContain('--match');
  });

  it('rejects a module that never finishes loading', async () => {
    const cwd = temporary();
    await writeFile(join(cwd, 'hang.mjs'), 'await new Promise(() => {}); export default 1;');
    expect(await run(cwd, 'shapes', '--methods', './hang.mjs')).toMatchObject({
      exitCode: 2,
      err: expect.stringMatching(/hang\.mjs.*finished loading/s),
    });
  });

  it('runs in shards that merge into the whole', async () => {
    const cwd = temporary();
    const flags = ['shapes', '--limit', '6', '--methods', 'random', '--keep', '25%'];
    for (const index of [0, 1]) {
      expect((await run(cwd, ...flags, '--shard', `${index}/2`, '--out', `part-${index}`)).exitCode).toBe(0);
    }
    const merged = await run(cwd, 'merge', 'part-0', 'part-1', '--out', 'whole');
    expect(merged.exitCode).toBe(0);
    expect(merged.out).toContain('Shapes: 6 questions');
    const missing = await run(cwd, 'merge', 'part-0', '--out', 'half');
    expect(missing).toMatchObject({ exitCode: 2, err: expect.stringContaining('missing: 1/2') });
  });

  it('takes methods from modules', async () => {
    const cwd = temporary();
    const method =
      "export default { name: 'last', title: 'Last', source: 'x', needs: [], select: async ({ vision }, { tokens }) => Array.from({ length: tokens }, (_, i) => vision.dims[0] - 1 - i) };";
    await writeFile(join(cwd, 'last.mjs'), method);
    await writeFile(join(cwd, 'nothing.mjs'), 'export default 3;');
    const flags = ['shapes', '--limit', '2', '--keep', '3', '--out', 'run'];
    const { exitCode, out } = await run(cwd, ...flags, '--methods', './last.mjs,mmtok');
    expect(exitCode).toBe(0);
    expect(out).toMatch(/last +3/);
    const bad = await run(cwd, ...flags, '--methods', './nothing.mjs');
    expect(bad).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('its default export is not a method'),
    });
  });

  it('runs all methods the model supports, and lists those left out', async () => {
    const flags = ['shapes', '--limit', '1', '--keep', '3', '--methods', 'all', '--out'];
    const cwd = temporary();
    const plain = await run(cwd, ...flags, 'plain');
    expect(plain.err).toBe(
      "note: --methods all leaves out visionzip, fastervlm, vispruner, scope, prunesid-saliency, mmr-saliency, agilepruner: the model 'tiny' provides no saliency (an encoder output vision_saliency)\n" +
        "note: --methods all leaves out mmtok-ivc: the model 'tiny' does not report the positions of its tokens\n" +
        "note: --methods all leaves out resize: the model 'tiny' turns every image into the same number of vision tokens\n" +
        'note: --methods all leaves out mmtok-agent, mmtok-focused-agent: there is no --agent\n',
    );
    const methodsOf = async (out: string): Promise<string[]> =>
      JSON.parse(await readFile(join(cwd, out, 'run.json'), 'utf8')).methods.map(
        ({ name }: { readonly name: string }) => name,
      );
    expect(await methodsOf('plain')).toHaveLength(builtInMethods.length - 9 - 3);
    const whole = await runWith({ isSalient: true }, cwd, ...flags, 'whole', '--agent', 'some/agent');
    expect(whole).toMatchObject({
      exitCode: 0,
      err: expect.stringMatching(/^note: .*mmtok-ivc.*\nnote: .*resize.*\n$/),
    });
    expect(await methodsOf('whole')).toEqual(
      builtInMethods
        .map(({ name }) => name)
        .filter((name) => !['mmtok-oracle', 'mmtok-ivc', 'resize'].includes(name)),
    );
  });

  it('runs with and without an agent, and with an oracle', async () => {
    const cwd = temporary();
    const flags = ['shapes', '--limit', '2', '--keep', '3', '--out', 'run'];
    const methods = ['--methods', 'mmtok,mmtok-agent,mmtok-oracle'];
    const { exitCode, out, agents } = await run(cwd, ...flags, ...methods, '--agent', 'some/agent');
    expect(exitCode).toBe(0);
    expect(agents).toEqual(['some/agent']);
    expect(out).toMatch(
      /^method +budget +tokens +score +retention +95 % interval +agent +select +first token/m,
    );
    expect(out).toMatch(/mmtok-agent +3 /);
    const lines = (await readFile(join(cwd, 'run', 'records.jsonl'), 'utf8')).trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line));
    const of = (method: string) => records.filter((one) => one.method === method);
    expect(of('mmtok')[0]).not.toHaveProperty('agentMs');
    for (const record of of('mmtok-agent')) {
      expect(record).toMatchObject({
        answer: 'TABBY CAT',
        agent: { answer: 'a tabby cat', added: ['tabby', 'cat'] },
      });
    }
    for (const { agent, target } of of('mmtok-oracle')) expect(agent.answer).toBe(target);
    expect(JSON.parse(await readFile(join(cwd, 'run', 'run.json'), 'utf8')).agent).toBe('some/agent');
    const other = await run(cwd, ...flags, ...methods, '--agent', 'tiny-small');
    expect(other).toMatchObject({ exitCode: 2, err: expect.stringContaining("the agent 'some/agent'") });
  });

  it.each([
    [['shapes', '--methods', 'mmtok-agent'], "'mmtok-agent' needs a model that answers first"],
    [['shapes', '--methods', 'magic'], "unknown method 'magic'"],
    [['shapes', '--keep', '64,'], '--keep: expected comma-separated names'],
    [['shapes', '--keep', '64,64'], "--keep: duplicate value '64'"],
    [['shapes', '--keep', '0'], '--keep: expected a number of tokens'],
    [['shapes', '--shard', '4/4'], '--shard: expected a part'],
    [['shapes', '--seed', 'x'], '--seed: expected a number'],
    [['shapes', '--methods', 'scope', '--limit', '1'], "'scope' needs saliency"],
    [['mountains'], "There is no task 'mountains'. Tasks are shapes, signs, gqa"],
    [['pope', '--limit', '1'], "The model 'tiny' only knows drawn shapes"],
    [[], 'Expected a task: shapes or signs (embedded), gqa, '],
    [['--model', 'some/model'], 'Expected a task'],
    [['shapes', '--tiles', '0'], '--tiles: expected a number of tiles such as 5'],
    [['merge', 'a'], "required option '--out <folder>' not specified"],
  ])('%j ends with 2 and one line', async (argv, problem) => {
    const { exitCode, out, err } = await run(temporary(), ...argv);
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(err).toContain(problem);
    expect(err).toMatch(/^error: /);
  });

  it('fails with 1 if nothing was pruned, with 2 if there is no run', async () => {
    const cwd = temporary();
    const { exitCode, err } = await run(cwd, 'shapes', '--limit', '2', '--methods', 'random', '--keep', '16');
    expect(exitCode).toBe(1);
    expect(err).toContain('Nothing was pruned at 16: ');
    expect(await run(cwd, 'report', 'nowhere')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('There is no evaluation in'),
    });
  });

  it('says which file or folder is in the way', async () => {
    const cwd = temporary();
    await writeFile(join(cwd, 'taken'), '');
    const flags = ['shapes', '--limit', '1', '--methods', 'random', '--keep', '4'];
    const inTheWay = {
      exitCode: 2,
      err: `error: Cannot use '${join(cwd, 'taken')}': it exists but is not a folder.\n`,
    };
    expect(await run(cwd, ...flags, '--out', 'taken')).toMatchObject(inTheWay);
    expect((await run(cwd, ...flags, '--out', 'run')).exitCode).toBe(0);
    await rm(join(cwd, 'run', 'report.html'));
    await mkdir(join(cwd, 'run', 'report.html'));
    expect(await run(cwd, 'report', 'run')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining(
        `'${join(cwd, 'run', 'report.html')}' (it is a folder). The answers are kept`,
      ),
    });
    // A run without shards is complete.
    expect(await run(cwd, 'merge', 'run', '--out', 'taken')).toMatchObject(inTheWay);
  });
});

const at = (elapsedMs: number): RunProgress => ({
  done: 3,
  total: 40,
  elapsedMs,
  leftMs: 125_000,
  method: 'mmtok',
  budget: '64',
});

function written(isTTY: boolean, times: readonly number[]): string[] {
  const texts: string[] = [];
  const progress = createEvalProgress({ isTTY, write: (text) => texts.push(text) });
  for (const elapsedMs of times) progress.show(at(elapsedMs));
  progress.clear();
  return texts;
}

describe('progress of an evaluation', () => {
  it('is logged once a minute without a terminal', () => {
    const line = '3 of 40 answers, 2 min left – mmtok at 64\n';
    expect(written(false, [10, 59_000, 60_000, 61_000, 125_000])).toEqual([line, line]);
  });

  it('is a status line on a terminal', () => {
    const [shown, cleared, ...more] = written(true, [10]);
    expect(shown).toContain('3 of 40 answers, 2 min left');
    expect(shown).not.toContain('\n');
    expect(cleared).toBe('\r\u001b[2K');
    expect(more).toEqual([]);
  });
});
