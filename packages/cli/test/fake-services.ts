// Fake services for commands: a model that always says "a cat", and a machine with one engine.

import { agentFrom } from '@mmtok/agent';
import { createReferenceBackend } from '@mmtok/core';
import { resolveBudget } from '@mmtok/core/internal';
import type { VerifyReport } from '@mmtok/transformers/verify';
import type { Services } from '../src/commands/context.js';
import { InputFileError } from '../src/errors.js';
import type { EvalVlmModel } from '../src/models/eval-model.js';
import type { Answer, Request, Vlm, VlmOptions } from '../src/models/vlm.js';
import { tilesAsWritten } from '../src/options.js';

const TIMINGS = {
  prepareMs: 1,
  encodeMs: 20,
  selectMs: 0,
  prefillMs: 100,
  firstTokenMs: 120,
  decodeMs: 30,
  totalMs: 151,
};

/** The answer of the fake model: 16 tokens per image on a 4 × 4 grid, of which it keeps the first two. */
export function fakeAnswer({ images, budget, onText }: Request): Answer {
  onText?.('a ');
  onText?.('cat');
  const visionTokens = 16 * images.length;
  if (budget === 'all') {
    return {
      text: 'a cat',
      visionTokens,
      keptTokens: visionTokens,
      images: [],
      overlay: async () => [],
      timings: TIMINGS,
      notes: [],
    };
  }
  return {
    text: 'a cat',
    visionTokens,
    keptTokens: 2 * images.length,
    images: images.map(() => ({
      visionTokens: 16,
      indices: [0, 1],
      coverage: { text: 0.9, vision: 0.5 },
    })),
    overlay: async () => images.map((image) => ({ views: [{ image, rows: 4, columns: 4, kept: [0, 1] }] })),
    timings: { ...TIMINGS, selectMs: 2, prefillMs: 10, firstTokenMs: 32, totalMs: 63 },
    notes: ['a note'],
  };
}

/** A model for evaluations: 16 tokens on a 4 × 4 grid; it says "yes" while it sees token 0, and shouts with an agent. */
function fakeEvalModel(
  name: string,
  {
    isSalient = false,
    onEvalAnswer,
    brokenImage,
  }: Pick<FakeOptions, 'isSalient' | 'onEvalAnswer' | 'brokenImage'>,
): EvalVlmModel {
  return {
    name,
    ...(isSalient && { gives: ['question', 'saliency'] }),
    countTokens: async () => [16],
    async answer({ images, words, prune }) {
      onEvalAnswer?.();
      if (brokenImage !== undefined && images[0]?.path?.endsWith(`${brokenImage}.png`)) {
        throw new InputFileError('b.png', 'it is damaged');
      }
      const data = Float32Array.from({ length: 16 * 4 }, (_, i) => Math.sin(i * i));
      const vision = { type: 'float32', data, dims: [16, 4] } as const;
      const text = { type: 'float32', data: data.slice(0, 8), dims: [2, 4] } as const;
      const all = Array.from({ length: 16 }, (_, token) => token);
      const saliency = isSalient ? Float32Array.from(all) : undefined;
      const features = {
        vision,
        text,
        grid: [4, 4],
        ...(saliency && { saliency }),
      } as const;
      const budget = [prune?.budget].flat()[0];
      const tokens = budget ? resolveBudget(budget, 16).max : 16;
      const kept = prune && tokens < 16 ? await prune.select({ ...features, imageIndex: 0 }, tokens) : all;
      return {
        text: words?.join(' ').toUpperCase() ?? (kept.includes(0) ? 'yes' : 'no'),
        images: [{ visionTokens: 16, indices: kept.toSorted((a, b) => a - b), grid: [4, 4] }],
        timings: { encodeMs: 5, prefillMs: kept.length, decodeMs: 1 },
      };
    },
    dispose: async () => undefined,
  };
}

/** A verification in which every text is the given one, as from a hostile model. */
export function fakeVerification(text: string, passed = true): VerifyReport {
  const timing = { promptTokens: 9, processMs: 1, encodeMs: 20, selectMs: 2, prefillMs: 10, decodeMs: 30 };
  return {
    model: {
      source: `/home/somebody/${text}`,
      family: text,
      modelType: text,
      library: 'transformers.js 4.3.1',
      sessions: { vision_encoder: { dtype: text, device: 'cpu' } },
      positions: 'preserve',
      visionFeatureSource: 'preProjector',
    },
    passed,
    checks: [
      { name: 'keepAll', status: 'pass', detail: text, facts: {} },
      { name: 'tap', status: passed ? 'warn' : 'fail', detail: text, facts: { tensor: text } },
    ],
    images: [
      {
        name: text,
        kind: 'reading',
        question: text,
        width: 40,
        height: 20,
        preview: 'data:image/bmp;base64,AAAA',
        visionTokens: 4,
        keptTokens: 1,
        tiles: [{ visionTokens: 4, indices: [2], grid: [2, 2] }],
        text: { source: 'lastUserTurn', text, words: [text], ids: [1], tokens: [text] },
        overlap: { random: 0.25, expected: 0.25, textOnly: 0 },
        answers: [
          { keep: 1, keptTokens: 4, text, sameAsAll: true },
          { keep: 0.25, keptTokens: 1, text, sameAsAll: false },
        ],
      },
    ],
    timings: [
      { keep: 0, keptTokens: 1, totalMs: 63, speedup: 2.4, peakBytes: 1e8, ...timing },
      { keep: 1, keptTokens: 4, totalMs: 151, speedup: 1, peakBytes: 2e8, ...timing },
    ],
    limit: { fixedShare: 0.14, bound: 7, measured: 2.4 },
    memory: { startBytes: 1e8, peakBytes: 2e8 },
    advice: [text],
  };
}

/** How these services differ from the default. */
interface FakeOptions {
  readonly answer?: (request: Request) => Answer;
  readonly ortWorks?: boolean;
  readonly isSalient?: boolean;
  /** Called whenever the model of an evaluation is asked. */
  readonly onEvalAnswer?: () => void;
  /** The result of verifying a model. */
  readonly verified?: VerifyReport;
  /** The name, without extension, of an image that cannot be read. */
  readonly brokenImage?: string;
}

/** Services, and what the fake model was asked. */
export function fakeServices(options: FakeOptions = {}): {
  readonly services: Services;
  readonly asked: Request[];
  readonly disposed: () => boolean;
  /** Agents that were loaded and disposed. */
  readonly agents: string[];
  /** The terms of each model's objective; undefined for the paper's. */
  readonly objectives: (readonly string[] | undefined)[];
  /** Which tiles each model encodes. */
  readonly tileBudgets: VlmOptions['tiles'][];
} {
  const { answer = fakeAnswer, ortWorks = true } = options;
  const asked: Request[] = [];
  const agents: string[] = [];
  const objectives: (readonly string[] | undefined)[] = [];
  const tileBudgets: VlmOptions['tiles'][] = [];
  let isDisposed = false;
  const vlm = (name: string, hasAgent: boolean): Vlm => ({
    name,
    backend: 'reference (cpu)',
    async ask(request) {
      asked.push(request);
      const agent = { answers: ['a tabby cat'], added: ['tabby', 'cat'], ms: 40 };
      return { ...answer(request), ...(hasAgent && { agent }) };
    },
    async dispose() {
      isDisposed = true;
    },
  });
  const services: Services = {
    createBackend: async () => createReferenceBackend(),
    loadEvalModel: async ({ model, tiles }) => ({
      ...fakeEvalModel(model, options),
      ...(tiles !== undefined && { options: { tiles: tilesAsWritten(tiles) } }),
    }),
    loadVlm: async ({ model, agent, coverage, tiles }) => {
      tileBudgets.push(tiles);
      objectives.push(coverage?.map(({ name, kind }) => `${kind} ${name}`));
      return vlm(model, agent !== undefined);
    },
    loadAgent: async ({ model }) => {
      const agent = agentFrom(() => 'a tabby cat');
      return Object.assign(agent, {
        model,
        async dispose() {
          agents.push(model);
        },
      });
    },
    verifyModel: async (request, _, onProgress) => {
      onProgress({ done: 0, total: 1, what: 'an image' });
      return options.verified ?? fakeVerification(request.model);
    },
    inspectEngines: async () => ({
      node: { version: '20.19.0', isSupported: true },
      platform: 'linux x64',
      transformers: '4.3.1',
      engines: [
        {
          label: 'cpu',
          target: { engine: 'ort', choice: 'cpu' },
          result: ortWorks
            ? { works: true, device: 'cpu', module: 'onnxruntime-node', version: '1.30.0', listed: ['cpu'] }
            : { works: false, problem: 'it is not installed', hint: 'Install it.' },
        },
        {
          label: '@tensorflow/tfjs',
          target: { engine: 'tfjs', choice: '@tensorflow/tfjs' },
          result: { works: false, problem: 'nothing found', hint: 'Install one.' },
        },
      ],
    }),
  };
  return { services, asked, agents, objectives, tileBudgets, disposed: () => isDisposed };
}
