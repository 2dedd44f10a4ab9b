import { readdirSync } from 'node:fs';
import { resolveBudget } from '@mmtok/core/internal';
import { describe, expect, it } from 'vitest';
import { temporary } from '../../../../vitest.temporary.js';
import { fakeModel, fakeTask } from '../../test/fake-run.js';
import { options } from '../../test/run-options.js';
import {
  type AgentQuestion,
  type EvalModel,
  mergeRuns,
  type RunOptions,
  readRun,
  runEvaluation,
  UnreachableBudgetError,
  unprunedBudgets,
} from '../index.js';
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
import { summarizeRun } from '../report/summarize-run.js';
import type { Task } from '../tasks/index.js';
import { recordKey } from './records.js';

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

  it('asks questions about the same image consecutively, so that it is encoded once', async () => {
    const { model, encoded } = fakeModel();
    await runEvaluation(options({ model }));
    expect(encoded.toSorted()).toEqual(['image-0', 'image-1']);
  });

  it('compares methods at the number of tokens that a coverage budget resolves to', async () => {
    const { records } = await runEvaluation(options({ methods: [uniform, mmtok], budgets: ['c0.7'] }));
    const counts = (method: string) =>
      records.filter((one) => one.method === method).map((one) => one.keptTokens);
    expect(counts('uniform')).toEqual(counts('mmtok'));
    expect(Math.max(...counts('mmtok'))).toBeLessThan(16);
  });

  it('resizes the image for the resize method, to as many tokens as other methods keep', async () => {
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

  it('leaves out the resize method at budgets that it cannot meet', async () => {
    const { model: fake } = fakeModel();
    const model = (isReachable: (id: string) => boolean): EvalModel => ({
      ...fake,
      gives: ['question', 'resolution'],
      countTokens: async () => [16],
      async answer(request) {
        const { fitTokens, images } = request;
        const answer = await fake.answer(request);
        if (fitTokens === undefined) return answer;
        if (fitTokens < 8 && !isReachable(images[0]?.id ?? '')) throw new UnreachableBudgetError(fitTokens);
        return { ...answer, images: [{ visionTokens: fitTokens, indices: [...Array(fitTokens).keys()] }] };
      },
    });
    const notes: string[] = [];
    const done: string[] = [];
    const run = options({ model: model(() => false), methods: [resize], onNote: (note) => notes.push(note) });
    const { records } = await runEvaluation({
      ...run,
      onProgress: ({ done: at, total }) => done.push(`${at}/${total}`),
    });
    expect(notes).toEqual([
      'resize is left out at 4. No smaller version of the image costs at most 4 vision tokens.',
    ]);
    expect(new Set(records.map(({ method, budget }) => `${method} ${budget}`))).toEqual(
      new Set(['all all', 'resize 50%']),
    );
    expect(done.at(-1)).toBe('12/12');
    // Otherwise the methods would not be compared on the same questions.
    await expect(
      runEvaluation({ ...run, model: model((id) => id === 'image-0'), out: temporary() }),
    ).rejects.toMatchObject({
      code: 'MMTOK_EVAL_RUN',
      message: expect.stringContaining("'question-1' cannot be asked with 'resize' at 4"),
    });
  });

  it('hides excluded tokens from methods', async () => {
    const { model: fake } = fakeModel();
    const excluded = [0, 1, 2, 3, 4, 5, 6, 7];
    const model: EvalModel = {
      ...fake,
      async answer({ prune, ...request }) {
        const budget = [prune?.budget].flat()[0];
        // Too many tokens for the method to have a choice.
        if (prune && budget && resolveBudget(budget, 16).max >= 8) {
          const { images, ...answer } = await fake.answer(request);
          return {
            ...answer,
            images: images.map((image) => ({
              ...image,
              indices: image.indices.filter((token) => !excluded.includes(token)),
              isExhausted: true as const,
            })),
          };
        }
        return await fake.answer({
          ...request,
          ...(prune && {
            prune: { ...prune, select: (features, tokens) => prune.select(features, tokens, excluded) },
          }),
        });
      },
    };
    const { records } = await runEvaluation(
      options({ model, methods: [mmtok, random], budgets: ['4', '12', 'c0.3'] }),
    );
    const pruned = records.filter(({ method }) => method !== 'all');
    expect(pruned).toHaveLength(6 * 2 * 3);
    for (const { indices = [] } of pruned) expect(Math.min(...indices)).toBeGreaterThanOrEqual(8);
  });

  it('reports progress', async () => {
    const seen: [number, number][] = [];
    await runEvaluation(options({ onProgress: ({ done, total }) => seen.push([done, total]) }));
    expect(seen).toHaveLength(30);
    expect(seen.at(-1)).toEqual([30, 30]);
  });

  it('draws the same tokens for the same seed and different ones for another', async () => {
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

  it('are required by methods that use them', async () => {
    await expect(runEvaluation(options({ methods }))).rejects.toMatchObject({
      code: 'MMTOK_INVALID_OPTIONS',
      message: expect.stringContaining("'mmtok-agent' needs an agent"),
    });
    const { referenceAnswer: _, ...secretive } = fakeTask(6);
    await expect(
      runEvaluation(options({ methods, task: secretive, agents: agent().agents })),
    ).rejects.toThrow("task 'fake'");
  });

  it('must stay the same throughout a run', async () => {
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
