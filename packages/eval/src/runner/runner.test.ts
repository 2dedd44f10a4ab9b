import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createReferenceBackend } from '@mmtok/core';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { fakeModel, fakeTask } from '../../test/fake-run.js';
import { imageFile } from '../data/folder.js';
import {
  defineMethod,
  type Method,
  mmtok,
  mmtokAgent,
  mmtokIvc,
  mmtokOracle,
  random,
  resize,
  scope,
  uniform,
  withAgent,
  zspaprune,
} from '../methods/index.js';
import { summarizeRun, writeReport } from '../report/index.js';
import type { Task } from '../tasks/index.js';
import {
  type AgentQuestion,
  BrokenQuestionError,
  type EvalModel,
  mergeRuns,
  type RunOptions,
  readRun,
  runEvaluation,
  unprunedBudgets,
} from './index.js';
import { recordKey } from './records.js';

const backend = createReferenceBackend();
const temporary = () => mkdtempSync(join(tmpdir(), 'mmtok-eval-'));

function options(more: Partial<RunOptions> = {}): RunOptions {
  const { model } = fakeModel();
  return {
    task: fakeTask(6),
    model,
    methods: [mmtok, random],
    budgets: ['4', '50%'],
    backend,
    out: temporary(),
    ...more,
  };
}

/** Turns the settings of a run into those of a version that did not save its questions. */
function forgetQuestions(out: string): void {
  const path = join(out, 'run.json');
  const { questions, source, ...old } = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify(old));
}

const linesOf = (out: string): string[] =>
  readFileSync(join(out, 'records.jsonl'), 'utf8').trimEnd().split('\n');

describe('a run', () => {
  it('asks every question with all tokens and with each method at each budget', async () => {
    const { settings, records, folder } = await runEvaluation(options());
    expect(records).toHaveLength(6 * 5);
    expect(settings).toMatchObject({ task: 'fake', model: 'fake', budgets: ['4', '50%'], seed: 0 });
    expect(new Set(records.map(recordKey)).size).toBe(30);
    const kept = (budget: string) =>
      records.filter((one) => one.budget === budget).map((one) => one.keptTokens);
    expect(new Set(kept('all'))).toEqual(new Set([16]));
    expect(new Set(kept('4'))).toEqual(new Set([4]));
    expect(new Set(kept('50%'))).toEqual(new Set([8]));
    expect(readRun(folder).records).toEqual(records);
  });

  it('asks questions about one picture after each other, so that it is encoded once', async () => {
    const { model, encoded } = fakeModel();
    await runEvaluation(options({ model }));
    expect(encoded.toSorted()).toEqual(['picture-0', 'picture-1']);
  });

  it('compares methods at the number of tokens that a coverage budget resolves to', async () => {
    const { records } = await runEvaluation(options({ methods: [uniform, mmtok], budgets: ['c0.7'] }));
    const counts = (method: string) =>
      records.filter((one) => one.method === method).map((one) => one.keptTokens);
    expect(counts('uniform')).toEqual(counts('mmtok'));
    expect(Math.max(...counts('mmtok'))).toBeLessThan(16);
  });

  it('makes the image smaller for the method that asks for it, at as many tokens as others keep', async () => {
    const { model: fake } = fakeModel();
    const asked: (number | undefined)[] = [];
    const model: EvalModel = {
      ...fake,
      gives: ['question', 'resolution'],
      countTokens: async () => [16],
      async answer(request) {
        const answer = await fake.answer(request);
        const { fitTokens, prune } = request;
        if (fitTokens === undefined) return answer;
        expect(prune).toBeUndefined();
        asked.push(fitTokens);
        return {
          ...answer,
          images: [{ visionTokens: fitTokens - 1, indices: [...Array(fitTokens - 1).keys()] }],
        };
      },
    };
    const run = options({ model, methods: [resize, uniform], budgets: ['4', '50%', 'c0.7'] });
    const { records } = await runEvaluation(run);
    const kept = (method: string) =>
      records.filter((one) => one.method === method).map((one) => one.keptTokens);
    expect(asked).toEqual(kept('uniform'));
    expect(kept('resize')).toEqual(asked.map((tokens) => (tokens as number) - 1));
    expect(records.every(({ visionTokens }) => visionTokens === 16)).toBe(true);
    const careless: EvalModel = { ...model, answer: fake.answer };
    await expect(runEvaluation(options({ model: careless, methods: [resize] }))).rejects.toThrow(
      /saw 16 vision tokens .* at most 4/,
    );
  });

  it('reports progress', async () => {
    const seen: [number, number][] = [];
    await runEvaluation(options({ onProgress: ({ done, total }) => seen.push([done, total]) }));
    expect(seen).toHaveLength(30);
    expect(seen.at(-1)).toEqual([30, 30]);
  });

  it('draws the same tokens for the same seed, and others for another', async () => {
    const picks = async (seed: number) => {
      const { records } = await runEvaluation(options({ methods: [random], budgets: ['4'], seed }));
      return records.map(({ indices }) => indices);
    };
    expect(await picks(1)).toEqual(await picks(1));
    expect(await picks(1)).not.toEqual(await picks(2));
  });

  it('warns before the first question that a budget prunes nothing, and keeps the results', async () => {
    const { model } = fakeModel();
    const seen: string[] = [];
    const counting: EvalModel = {
      ...model,
      countTokens: async () => [16],
      answer: (request) => {
        seen.push('asked');
        return model.answer(request);
      },
    };
    const { records } = await runEvaluation(
      options({ model: counting, budgets: ['16', '100%', '4'], onNote: (note) => seen.push(note) }),
    );
    expect(seen.slice(0, 3)).toEqual([
      expect.stringMatching(/budget 16 .*16 vision tokens/),
      expect.stringMatching(/budget 100% .*16 vision tokens/),
      'asked',
    ]);
    expect(records).toHaveLength(6 * 7);
    expect(unprunedBudgets(records)).toEqual(['16', '100%']);
    const summary = summarizeRun({
      folder: '',
      settings: (await runEvaluation(options())).settings,
      records,
    });
    const titles = summary.rows.filter(({ budget }) => budget !== '4').map(({ title }) => title);
    expect(titles.every((title) => title.endsWith('(nothing pruned)'))).toBe(true);
  });

  it('fails if the model does not let methods choose', async () => {
    const deaf = {
      name: 'deaf',
      answer: () => fakeModel().model.answer({ images: [], prompt: '', maxNewTokens: 1 }),
    };
    await expect(runEvaluation(options({ model: deaf }))).rejects.toMatchObject({
      code: 'MMTOK_EVAL_PRUNING',
      message: expect.stringContaining('nothing was pruned'),
    });
  });

  it('rejects methods that need what the model does not provide, by name and before the first question', async () => {
    const out = temporary();
    await expect(runEvaluation(options({ out, methods: [mmtok, scope, mmtokIvc] }))).rejects.toMatchObject({
      code: 'MMTOK_INVALID_OPTIONS',
      message: expect.stringMatching(/'scope' needs saliency.*'mmtok-ivc' needs positions/s),
    });
    expect(readdirSync(out)).toEqual([]);
    const { settings } = await runEvaluation(options({ methods: [mmtok, zspaprune], budgets: ['4'] }));
    expect(settings.methods.map(({ needs }) => needs)).toEqual([[], ['question']]);
  });

  it('rejects duplicate methods and budgets, and a reserved name', async () => {
    await expect(runEvaluation(options({ budgets: ['4', '4'] }))).rejects.toThrow('named only once');
    const all = defineMethod({ name: 'all', source: 'x', select: () => [] });
    await expect(runEvaluation(options({ methods: [all] }))).rejects.toThrow(/methods: .*'all'/);
    await expect(runEvaluation(options({ task: fakeTask(0) }))).rejects.toThrow('no questions');
  });

  it('rejects duplicate question ids', async () => {
    const task = fakeTask(3);
    const twice: Task = {
      ...(task as Task),
      async *load() {
        for await (const sample of task.load()) yield { ...sample, id: 'x' };
      },
    };
    const out = temporary();
    await expect(runEvaluation(options({ task: twice, out }))).rejects.toMatchObject({
      code: 'MMTOK_EVAL_RUN',
      message: expect.stringContaining("two questions with the id 'x'"),
    });
    expect(readdirSync(out)).toEqual([]);
  });

  it.each<[Partial<RunOptions>, string]>([
    [{ seed: 1.5 }, 'seed: '],
    [{ limit: 1e20 }, 'limit: '],
    [{ limit: 0 }, 'limit: '],
    [{ shard: { index: 2, count: 2 } }, 'shard: index must be below count'],
    [{ methods: [{ ...random, title: undefined } as unknown as Method] }, 'methods.0.title: '],
  ])('writes nothing for options that could not be read back: %j', async (wrong, problem) => {
    const out = temporary();
    await expect(runEvaluation(options({ out, ...wrong }))).rejects.toMatchObject({
      code: 'MMTOK_INVALID_OPTIONS',
      message: expect.stringContaining(problem),
    });
    expect(readdirSync(out)).toEqual([]);
  });
});

describe('resuming', () => {
  it('adds methods and budgets to a run', async () => {
    const out = temporary();
    await runEvaluation(options({ out, methods: [mmtok], budgets: ['4'] }));
    const { settings, records } = await runEvaluation(
      options({ out, methods: [random], budgets: ['4', '2'] }),
    );
    expect(records).toHaveLength(6 * 4);
    expect(settings.methods.map(({ name }) => name)).toEqual(['mmtok', 'random']);
    expect(settings.budgets).toEqual(['4', '2']);
  });

  it('removes an incomplete line and repeats nothing', async () => {
    const out = temporary();
    await runEvaluation(options({ out }));
    const whole = linesOf(out);
    writeFileSync(
      join(out, 'records.jsonl'),
      whole
        .slice(0, 10)
        .map((line) => `${line}\n`)
        .join(''),
    );
    appendFileSync(join(out, 'records.jsonl'), whole[10]!.slice(0, 40));
    await runEvaluation(options({ out }));
    const keys = linesOf(out).map((line) => recordKey(JSON.parse(line)));
    expect(new Set(keys).size).toBe(30);
    expect(keys).toHaveLength(30);
  });

  it('rejects the folder of another run, and files that are not records', async () => {
    const out = temporary();
    await runEvaluation(options({ out }));
    await expect(runEvaluation(options({ out, seed: 3 }))).rejects.toThrow('other settings');
    const { model } = fakeModel();
    await expect(
      runEvaluation(options({ out, model: { ...model, options: { dtype: 'q4' } } })),
    ).rejects.toThrow(/other settings .*"dtype":"q4"/);
    await expect(
      runEvaluation(options({ out, backend: { ...backend, name: 'other', run: backend.run } })),
    ).rejects.toThrow('other settings');
    appendFileSync(join(out, 'records.jsonl'), '{"id": 3}\n');
    await expect(runEvaluation(options({ out }))).rejects.toThrow('Line 31 of');
    const bare = temporary();
    writeFileSync(join(bare, 'records.jsonl'), `${linesOf(out)[0]}\n`);
    await expect(runEvaluation(options({ out: bare }))).rejects.toThrow('not the settings');
    expect(() => readRun(temporary())).toThrow('There is no evaluation in');
  });

  it('starts over if there are no answers yet', async () => {
    const out = temporary();
    const broken = { name: 'broken', answer: () => Promise.reject(new Error('no memory')) };
    await expect(runEvaluation(options({ out, model: broken, limit: 2 }))).rejects.toThrow('no memory');
    expect(() => readRun(out)).toThrow(
      expect.objectContaining({
        code: 'MMTOK_EVAL_RUN',
        message: expect.stringContaining('has no records.jsonl'),
      }),
    );
    const { settings } = await runEvaluation(options({ out, limit: 4 }));
    expect(settings).toMatchObject({ model: 'fake', limit: 4, questions: { count: 4 } });
    expect(readRun(out).settings).toEqual(settings);
  });

  it('rejects changed questions, and others chosen by a seed', async () => {
    const out = temporary();
    await runEvaluation(options({ out, limit: 3 }));
    const renamed: Task = { ...(fakeTask(6) as Task), prompt: ({ question }) => `${question}!` };
    await expect(runEvaluation(options({ out, limit: 3, task: renamed }))).rejects.toThrow('other questions');
    const drawn: Task = {
      ...(fakeTask(6) as Task),
      load: ({ seed, ...rest } = {}) => fakeTask(6).load(seed === undefined ? rest : { limit: 2 }),
    };
    const { settings } = await runEvaluation(options({ out, limit: 3, task: drawn }));
    expect(settings.questions).toMatchObject({ count: 3, isRandom: false });
    await expect(runEvaluation(options({ out, limit: 3, task: drawn, seed: 0 }))).rejects.toThrow(
      / 1 of .*\('question-2'\)/,
    );
    expect(readRun(out).records).toHaveLength(3 * 5);
  });

  it('resumes a run of a version that did not save its questions', async () => {
    const out = temporary();
    await runEvaluation(options({ out, methods: [mmtok] }));
    forgetQuestions(out);
    expect(readRun(out).records).toHaveLength(6 * 3);
    const { settings, records } = await runEvaluation(options({ out, methods: [random] }));
    expect(records).toHaveLength(6 * 5);
    expect(settings).not.toHaveProperty('questions');
  });

  it('reads records with old field names', async () => {
    const out = temporary();
    const { records } = await runEvaluation(options({ out, methods: [mmtok] }));
    const old = records.map(({ visionTokens, keptTokens, indices, digest: _, score, ...rest }) => ({
      ...rest,
      score: { ...score, facts: { category: 'color' } },
      tokensBefore: visionTokens,
      tokensKept: keptTokens,
      kept: indices,
    }));
    writeFileSync(join(out, 'records.jsonl'), old.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect(readRun(out).records).toEqual(
      records.map(({ digest: _, score, ...rest }) => ({
        ...rest,
        score: { ...score, details: { category: 'color' } },
      })),
    );
    expect((await runEvaluation(options({ out }))).records).toHaveLength(30);
  });

  it('requires only answered questions to be unchanged: others may be fixed or added', async () => {
    const out = temporary();
    const other = (count: number, changed: number): Task => ({
      ...(fakeTask(count) as Task),
      prompt: ({ id, question }) => (id === `question-${changed}` ? `${question}!` : question),
    });
    const stop = new AbortController();
    const stopped = runEvaluation(
      options({ out, signal: stop.signal, onProgress: ({ done }) => done === 7 && stop.abort() }),
    );
    await expect(stopped).rejects.toMatchObject({
      code: 'MMTOK_EVAL_STOPPED',
      message: expect.stringContaining(`7 answers so far are kept in '${out}'`),
    });
    expect(linesOf(out)).toHaveLength(7);
    // By pictures: questions 0 and 2 have answers, 1 has none.
    await expect(runEvaluation(options({ out, task: other(6, 2) }))).rejects.toThrow("('question-2')");
    const { records, settings } = await runEvaluation(options({ out, task: other(7, 1) }));
    expect(records).toHaveLength(7 * 5);
    expect(settings.questions?.count).toBe(7);
    await expect(runEvaluation(options({ out, task: other(7, 3) }))).rejects.toThrow(
      "('question-1', 'question-3')",
    );
  });

  it('names the line that is not a record, and how to continue', async () => {
    const out = temporary();
    await runEvaluation(options({ out }));
    const path = join(out, 'records.jsonl');
    appendFileSync(path, '{"id": 3\n');
    const failure = await runEvaluation(options({ out })).catch((error: Error) => error.message);
    expect(failure).toContain(`Line 31 of '${path}', the last,`);
    expect(failure).toContain(`sed -i '31d' '${path}'`);
    // What the message says is what helps.
    writeFileSync(path, `${linesOf(out).slice(0, 30).join('\r\n')}\n`);
    writeFileSync(path, `\ufeff${readFileSync(path, 'utf8')}`);
    expect((await runEvaluation(options({ out }))).records).toHaveLength(30);
  });

  it('allows one process at a time in the folder', async () => {
    const out = temporary();
    const slow = { out, model: fakeModel(1).model };
    const [first, second] = await Promise.allSettled([
      runEvaluation(options(slow)),
      runEvaluation(options(slow)),
    ]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ reason: { message: expect.stringContaining('in progress') } });
    expect(linesOf(out)).toHaveLength(30);
    expect(readdirSync(out).toSorted()).toEqual(['records.jsonl', 'run.json']);
  });

  it('takes the first of duplicate records', async () => {
    const out = temporary();
    const { records } = await runEvaluation(options({ out }));
    const again = { ...records[0], answer: 'another' };
    appendFileSync(join(out, 'records.jsonl'), `${JSON.stringify(again)}\n`);
    expect(readRun(out).records).toEqual(records);
    expect((await runEvaluation(options({ out }))).records).toEqual(records);
  });

  it('loses and repeats nothing when killed', async () => {
    const out = temporary();
    const script = join(temporary(), 'slow-run.mjs');
    await build({
      entryPoints: [fileURLToPath(new URL('../../test/slow-run.ts', import.meta.url))],
      outfile: script,
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      conditions: ['@mmtok/source'],
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
    const start = () => spawn(process.execPath, [script, out], { stdio: 'inherit' });
    const ended = (child: ReturnType<typeof start>) => new Promise((resolve) => child.on('exit', resolve));
    let kills = 0;
    for (const lines of [5, 17]) {
      const child = start();
      const exit = ended(child);
      while (!existsSync(join(out, 'records.jsonl')) || linesOf(out).length < lines) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        if (child.exitCode !== null) break;
      }
      child.kill('SIGKILL');
      await exit;
      kills += child.signalCode === 'SIGKILL' ? 1 : 0;
    }
    expect(kills).toBe(2);
    expect(await ended(start())).toBe(0);
    const keys = linesOf(out).map((line) => recordKey(JSON.parse(line)));
    expect(keys).toHaveLength(30);
    expect(new Set(keys).size).toBe(30);
  }, 180_000);
});

describe('a broken question', () => {
  const failing = (ids: readonly string[], error: Error): EvalModel => {
    const { model } = fakeModel();
    return {
      ...model,
      answer: (request) =>
        ids.some((id) => request.prompt.includes(id)) ? Promise.reject(error) : model.answer(request),
    };
  };
  const broken = new BrokenQuestionError("Cannot use 'a.png': it is damaged.");

  it('ends a run and is named; fixing it resumes the run', async () => {
    const out = temporary();
    await expect(runEvaluation(options({ out, model: failing(['4'], broken) }))).rejects.toMatchObject({
      code: 'MMTOK_EVAL_RUN',
      message: expect.stringMatching(
        /^Question 'question-4' cannot be asked: Cannot use 'a.png': .*--skip-broken/,
      ),
      cause: broken,
    });
    expect(linesOf(out)).toHaveLength(2 * 5);
    expect((await runEvaluation(options({ out }))).records).toHaveLength(30);
  });

  it('is counted and listed if skipped, and asked again by the next run', async () => {
    const out = temporary();
    const model = failing(['1', '4'], broken);
    const run = await runEvaluation(options({ out, model, skipBroken: true }));
    expect(run.records).toHaveLength(4 * 5);
    expect(run.settings.questions?.count).toBe(4);
    expect(run.settings.skipped).toEqual(
      ['question-4', 'question-1'].map((id) => ({ id, problem: broken.message })),
    );
    expect(readRun(out).settings.skipped).toEqual(run.settings.skipped);
    const [page, markdown] = (await writeReport(run)) as [string, string];
    for (const path of [page, markdown]) {
      const text = readFileSync(path, 'utf8');
      expect(text).toContain('2 questions could not be asked and are not counted:');
      expect(text).toContain('question-4: Cannot use');
    }
    const mended = await runEvaluation(options({ out }));
    expect(mended.records).toHaveLength(30);
    expect(mended.settings).not.toHaveProperty('skipped');
  });

  it('is also one whose image cannot be read', async () => {
    const missing = join(temporary(), 'a.png');
    const task: Task = {
      ...(fakeTask(3) as Task),
      async *load() {
        for await (const sample of fakeTask(3).load()) {
          yield sample.id === 'question-1' ? { ...sample, images: [imageFile(missing)] } : sample;
        }
      },
    };
    await expect(runEvaluation(options({ task }))).rejects.toThrow("Question 'question-1' cannot be asked");
    const { records, settings } = await runEvaluation(options({ task, skipBroken: true }));
    expect(records).toHaveLength(2 * 5);
    expect(settings.skipped).toHaveLength(1);
  });

  it('is not a failure of the machine', async () => {
    const model = failing(['4'], new Error('no memory'));
    await expect(runEvaluation(options({ model, skipBroken: true }))).rejects.toThrow('no memory');
  });

  it('leaves shards that merge, with what they skipped', async () => {
    const parts = [];
    for (const index of [0, 1]) {
      const shard = { index, count: 2 };
      const { folder } = await runEvaluation(
        options({ model: failing(['1', '4'], broken), shard, skipBroken: true }),
      );
      parts.push(folder);
    }
    const merged = mergeRuns(parts, temporary());
    expect(merged.records).toHaveLength(4 * 5);
    expect(merged.settings.skipped?.map(({ id }) => id)).toEqual(['question-4', 'question-1']);
  });
});

describe('a full disk', () => {
  // As root: a file system of some kilobytes. Elsewhere there is none to be had.
  const folder = temporary();
  const isMounted =
    process.platform === 'linux' &&
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]).status === 0;
  afterAll(() => {
    if (isMounted) spawnSync('umount', [folder]);
  });

  it.skipIf(!isMounted)('is reported, with what is kept; with space the run resumes', async () => {
    const out = join(folder, 'run');
    const failure = await runEvaluation(options({ out })).catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'MMTOK_WRITE',
      message: expect.stringMatching(
        /records.jsonl' cannot be written \(the disk is full\)\. The \d+ answers so far/,
      ),
    });
    const { records, settings } = readRun(out);
    expect(String(failure)).toContain(`The ${records.length} answers so far are kept`);
    expect(readFileSync(join(out, 'records.jsonl'), 'utf8').endsWith('}\n')).toBe(true);
    // Settings are written atomically.
    await expect(runEvaluation(options({ out, methods: [uniform] }))).rejects.toMatchObject({
      code: 'MMTOK_WRITE',
    });
    expect(readRun(out).settings.methods).toEqual(settings.methods);
    expect(spawnSync('mount', ['-o', 'remount,size=1m', folder]).status).toBe(0);
    expect((await runEvaluation(options({ out }))).records).toHaveLength(30);
  });
});

describe('agents', () => {
  const agent = (name = 'small model') => {
    const asked: string[] = [];
    return {
      asked,
      agents: {
        agent: {
          name,
          async ask({ prompt }: AgentQuestion) {
            asked.push(prompt);
            return { answer: 'a cat', added: ['cat'] };
          },
        },
        oracle: (_: AgentQuestion, referenceAnswer: string) => ({
          answer: referenceAnswer,
          added: [referenceAnswer, 'indeed'],
        }),
      },
    };
  };
  const methods = [mmtok, mmtokAgent, mmtokOracle];
  const rows: number[] = [];
  const counting = defineMethod({
    name: 'counting',
    source: 'x',
    select: ({ text }, { tokens }) => {
      rows.push(text?.dims[0] as number);
      return Array.from({ length: tokens }, (_, token) => token);
    },
  });

  it('are asked once per question, and their words reach the methods that want them', async () => {
    const { agents, asked } = agent();
    const all = [counting, withAgent(counting), withAgent(counting, 'oracle')];
    const { records, settings } = await runEvaluation(options({ methods: all, agents }));
    expect(asked).toHaveLength(6);
    expect(rows).toEqual(Array.from({ length: 12 }, () => [2, 3, 4]).flat());
    expect(settings.agent).toBe('small model');
    const first = (method: string) => records.find((one) => one.method === method);
    expect(first('counting')).not.toHaveProperty('agent');
    expect(first('counting-agent')).toMatchObject({ agent: { answer: 'a cat', added: ['cat'] } });
    expect(first('counting-agent')?.agentMs).toBeGreaterThanOrEqual(0);
    expect(first('counting-oracle')).toMatchObject({ agentMs: 0, agent: { answer: 'yes' } });
  });

  it('do not change a coverage budget, which is resolved without their words', async () => {
    const counts = async (own: Method[]) => {
      const { records } = await runEvaluation(
        options({ methods: own, budgets: ['c0.7'], agents: agent().agents }),
      );
      return records.filter((one) => one.method === own.at(-1)?.name).map((one) => one.keptTokens);
    };
    expect(await counts([mmtokOracle])).toEqual(await counts([mmtok]));
  });

  it('must be given', async () => {
    await expect(runEvaluation(options({ methods }))).rejects.toMatchObject({
      code: 'MMTOK_INVALID_OPTIONS',
      message: expect.stringContaining("'mmtok-agent' needs an answer beforehand"),
    });
    const { referenceAnswer: _, ...secretive } = fakeTask(6);
    await expect(
      runEvaluation(options({ methods, task: secretive, agents: agent().agents })),
    ).rejects.toThrow("task 'fake'");
  });

  it('are the same throughout a run', async () => {
    const out = temporary();
    const { agents } = agent();
    await runEvaluation(options({ out, methods: [mmtok] }));
    await runEvaluation(options({ out, methods: [mmtokAgent], agents }));
    const { settings } = await runEvaluation(options({ out, methods: [random] }));
    expect(settings.agent).toBe('small model');
    await expect(
      runEvaluation(options({ out, methods: [mmtokAgent], agents: agent('other').agents })),
    ).rejects.toThrow("holds answers with the agent 'small model', not 'other'");
    const shard = async (index: number, name: string) =>
      (
        await runEvaluation(
          options({ methods: [mmtokAgent], agents: agent(name).agents, shard: { index, count: 2 } }),
        )
      ).folder;
    const first = await shard(0, 'a');
    const merged = mergeRuns([first, await shard(1, 'a')], temporary());
    expect(merged.settings.agent).toBe('a');
    const other = await shard(1, 'b');
    expect(() => mergeRuns([first, other], temporary())).toThrow('their agents are a, b');
  });
});

describe('shards', () => {
  const shardRun = (index: number, count: number, more: Partial<RunOptions> = {}) =>
    runEvaluation(options({ shard: { index, count }, ...more }));

  it('merge into the whole run', async () => {
    const whole = await runEvaluation(options());
    const folders = [(await shardRun(0, 2)).folder, (await shardRun(1, 2)).folder];
    const out = join(temporary(), 'merged');
    const { records, settings } = mergeRuns(folders, out);
    const plain = (all: typeof records) =>
      all.map(({ encodeMs, selectMs, prefillMs, decodeMs, ...rest }) => JSON.stringify(rest)).toSorted();
    expect(plain(records)).toEqual(plain(whole.records));
    expect(settings.shard).toBeUndefined();
    expect(readRun(out).records).toHaveLength(30);
    expect(() => mergeRuns(folders, out)).toThrow('already holds records');
  });

  it('must be complete and belong to one run', async () => {
    const [first, second] = [(await shardRun(0, 3)).folder, (await shardRun(1, 3)).folder];
    expect(() => mergeRuns([first, second], temporary())).toThrow('missing: 2/3');
    expect(() => mergeRuns([first, first, second], temporary())).toThrow('missing: 2/3');
    const other = (await shardRun(2, 3, { seed: 5 })).folder;
    expect(() => mergeRuns([first, second, other], temporary())).toThrow('do not belong together');
    expect(() => mergeRuns([], temporary())).toThrow('no runs to merge');
  });

  it('merge into a run that resumes like an unsharded one', async () => {
    const folders = [(await shardRun(0, 2)).folder, (await shardRun(1, 2)).folder];
    const { folder, settings } = mergeRuns(folders, temporary());
    expect(settings.questions).toEqual((await runEvaluation(options())).settings.questions);
    const { records } = await runEvaluation(options({ out: folder, methods: [uniform], budgets: ['4'] }));
    expect(records).toHaveLength(6 * 6);
  });

  it('must be finished', async () => {
    const [first, second] = [(await shardRun(0, 2)).folder, (await shardRun(1, 2)).folder];
    const lines = linesOf(second);
    const keep = (count: number) =>
      writeFileSync(
        join(second, 'records.jsonl'),
        lines.slice(0, count).join('\n') + '\n'.repeat(Number(count > 0)),
      );
    keep(14);
    expect(() => mergeRuns([first, second], temporary())).toThrow(
      expect.objectContaining({
        code: 'MMTOK_EVAL_RUN',
        message: expect.stringMatching(/not finished: 2 of 3 questions/),
      }),
    );
    keep(0);
    expect(() => mergeRuns([first, second], temporary())).toThrow('not finished: 0 of 3 questions');
    keep(5);
    forgetQuestions(second);
    const { settings, records } = mergeRuns([first, second], temporary());
    expect(settings.questions).toBeUndefined();
    expect(records).toHaveLength(3 * 5 + 5);
  });

  it('may have different methods and budgets, all of which the merged run has', async () => {
    const first = await shardRun(0, 2, { methods: [random, uniform], budgets: ['4'] });
    const second = await shardRun(1, 2, { methods: [mmtok, random], budgets: ['2', '4'] });
    const { settings } = mergeRuns([first.folder, second.folder], temporary());
    expect(settings.methods.map(({ name }) => name)).toEqual(['random', 'uniform', 'mmtok']);
    expect(settings.budgets).toEqual(['4', '2']);
  });

  it('must be chosen the same way: with a seed, or without', async () => {
    const first = (await shardRun(0, 2, { limit: 4 })).folder;
    const second = (await shardRun(1, 2, { limit: 4, seed: 0 })).folder;
    expect(() => mergeRuns([first, second], temporary())).toThrow('with a seed');
  });
});
