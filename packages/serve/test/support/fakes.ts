// Stand-ins for a model and for an encoder, and images to send.

import type { LocalModel, LocalRequest, SelectedImage, VisionSelector, WireRoute } from '../../src/index.js';
import { HIDDEN } from './fake-vllm.js';

/** A PNG of one pixel, as a data URI. */
export const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

/** The content of a user message: an image and a question. */
export const imageAnd = (text: string, url = PIXEL) => [
  { type: 'image_url' as const, image_url: { url } },
  { type: 'text' as const, text },
];

/** A model that answers with the words of the question, one per piece, with a pause between them. */
export interface FakeModel extends LocalModel {
  readonly requests: LocalRequest[];
  /** The maximum number of requests that ran at the same time. */
  mostAtOnce: number;
  aborted: number;
  isDisposed: boolean;
}

/** Holds back whoever waits for it until it is opened. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

/** A closed gate. */
export function createGate(): Gate {
  const { promise, resolve } = withResolvers();
  return { opened: promise as Promise<void>, open: () => resolve(undefined) };
}

/** Options of {@link createFakeModel}. */
export interface FakeModelOptions {
  /** The pause before each word. @default 0 */
  readonly pauseMs?: number;
  /** What answers wait for before their first word; without it they wait for nothing. */
  readonly gate?: () => Gate;
  readonly vision?: number;
  readonly kept?: number;
}

export function createFakeModel({
  pauseMs = 0,
  gate,
  vision = 576,
  kept = 57,
}: FakeModelOptions = {}): FakeModel {
  let running = 0;
  const model: FakeModel = {
    modelId: 'tiny',
    requests: [],
    mostAtOnce: 0,
    aborted: 0,
    isDisposed: false,
    stream(request) {
      model.requests.push(request);
      model.mostAtOnce = Math.max(model.mostAtOnce, ++running);
      const content = request.messages.at(-1)?.content ?? '';
      const texts =
        typeof content === 'string' ? [content] : content.map((part) => ('text' in part ? part.text : ''));
      const images = request.messages.flatMap((each) =>
        typeof each.content === 'string' ? [] : each.content.filter(({ type }) => type === 'image'),
      ).length;
      const words = texts.join('').split(/(?= )/).slice(0, request.maxNewTokens);
      const [criterion] = request.generation.stopping_criteria as ((ids: readonly number[][]) => boolean[])[];
      let newTokens = 0;
      const answer = withResolvers();
      async function* pieces(): AsyncGenerator<string> {
        try {
          await gate?.().opened;
          for (const word of words) {
            await new Promise((done) => setTimeout(done, pauseMs));
            request.signal.throwIfAborted();
            newTokens += 1;
            yield word;
            if (criterion?.([[1]])[0] === true) break;
          }
          const isPruned = request.mmtok !== false && images > 0;
          const visionTokens = images * vision;
          const keptTokens = isPruned ? images * kept : visionTokens;
          const image = {
            visionTokens: vision,
            keptTokens: isPruned ? kept : vision,
            selections: isPruned ? [{ coverage: { text: 0.9, vision: 0.5 } }] : [],
          };
          answer.resolve({
            report: {
              reason: isPruned ? 'budgetReached' : images === 0 ? 'noImage' : 'disabled',
              visionTokens,
              keptTokens,
              images: Array.from({ length: images }, () => image),
              timings: { encodeMs: 12, selectMs: 3, prefillMs: 40, decodeMs: 5, agentMs: undefined },
            },
            usage: { keptPromptTokens: 9 + keptTokens, newTokens },
            finishReason: words.length === request.maxNewTokens ? 'length' : 'stop',
          });
        } catch (error) {
          model.aborted += 1;
          answer.reject(error);
          throw error;
        } finally {
          running -= 1;
        }
      }
      return Object.assign(pieces(), {
        answer: answer.promise as ReturnType<LocalModel['stream']>['answer'],
      });
    },
    async dispose() {
      model.isDisposed = true;
    },
  };
  return model;
}

/** `Promise.withResolvers`, which Node has since version 22. */
function withResolvers() {
  let resolve!: (value: unknown) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise((done, fail) => {
    resolve = done;
    reject = fail;
  });
  return { promise, resolve, reject };
}

/** An encoder that turns each image into 576 rows, or as many as requested, and keeps the first 57. */
export interface FakeSelector extends VisionSelector {
  calls: number;
  /** The next rows, instead of valid ones. */
  spoil: ((image: SelectedImage) => SelectedImage) | undefined;
  isDisposed: boolean;
}

export function createFakeSelector({
  route = { part: 'image_embeds' } as WireRoute,
  vision = 576,
  kept = 57,
  pauseMs = 0,
} = {}): FakeSelector {
  const selector: FakeSelector = {
    modelId: 'tiny',
    family: 'merge' in route ? 'qwen2_vl' : 'llava',
    hiddenSize: HIDDEN,
    route,
    calls: 0,
    spoil: undefined,
    isDisposed: false,
    async select(images, _messages, { overrides, signal }) {
      selector.calls += 1;
      await new Promise((done) => setTimeout(done, pauseMs));
      signal.throwIfAborted();
      const keep = overrides === false ? vision : (countOf(overrides.keep, vision) ?? kept);
      const selected = images.map((image): SelectedImage => {
        // The first number of the rows identifies the image.
        const data = new Float32Array(keep * HIDDEN).fill(image.bytes.at(-13) ?? 0);
        return { rows: { data, dims: [keep, HIDDEN] }, visionTokens: vision, keptTokens: keep };
      });
      return {
        reason: overrides === false ? 'disabled' : 'budgetReached',
        images: selected.map((image) => selector.spoil?.(image) ?? image),
        coverage: { text: 0.91, vision: 0.52 },
        timings: { encodeMs: 20, selectMs: 4 },
      };
    },
    async dispose() {
      selector.isDisposed = true;
    },
  };
  return selector;
}

function countOf(keep: unknown, vision: number): number | undefined {
  if (typeof keep === 'number') return keep < 1 ? Math.round(keep * vision) : keep;
  if (typeof keep !== 'object' || keep === null) return undefined;
  return 'tokens' in keep ? (keep.tokens as number) : undefined;
}
