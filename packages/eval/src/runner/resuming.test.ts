import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { fakeModel, fakeTask } from '../../test/fake-run.js';
import { backend, forgetQuestions, linesOf, options } from '../../test/run-options.js';
import { imageFile } from '../data/folder.js';
import { BrokenQuestionError, type EvalModel, mergeRuns, readRun, runEvaluation } from '../index.js';
import { mmtok, random, uniform } from '../methods/index.js';
import { writeReport } from '../report/write-report.js';
import type { Task } from '../tasks/index.js';
import { recordKey } from './records.js';

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
    // Ordered by image: questions 0 and 2 have answers, 1 has none.
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
    // The message's advice works.
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
    const run = (...more: readonly string[]) =>
      new Promise((resolve) => {
        const child = spawn(process.execPath, [script, out, ...more], { stdio: 'inherit' });
        child.on('exit', (code, signal) => resolve(signal ?? code));
      });
    expect(await run('5')).toBe('SIGKILL');
    expect(await run('17')).toBe('SIGKILL');
    expect(await run()).toBe(0);
    const keys = linesOf(out).map((line) => recordKey(JSON.parse(line)));
    expect(keys).toHaveLength(30);
    expect(new Set(keys).size).toBe(30);
  });
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

  it('stops the run with its id; fixing it resumes the run', async () => {
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

  it('is listed if skipped, and retried by the next run', async () => {
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

  it('includes one whose image cannot be read', async () => {
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

  it('does not include failures of the machine', async () => {
    const model = failing(['4'], new Error('no memory'));
    await expect(runEvaluation(options({ model, skipBroken: true }))).rejects.toThrow('no memory');
  });

  it('leaves shards that can be merged, including what they skipped', async () => {
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
  // A file system of a few kilobytes, which only root can mount.
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
