// A vision-language model as commands see it: ask it, pruned or not. Runs on transformers.js.

import type { RawImage } from '@huggingface/transformers';
import type { Backend, Budget, ObjectiveTerm } from '@mmtok/core';
import {
  type Agent,
  type AskRequest,
  createVlm,
  families,
  type LoadedVlm,
  type ModelInputs,
  type ProcessRequest,
  type Vlm as PrunableVlm,
  type PruneReport,
  processInputs,
  type TileBudget,
} from '@mmtok/transformers';
import { UsageError } from '../errors.js';
import {
  type ImageProcessing,
  type OverlayPanel,
  overlayPanels,
  type PixelTensor,
} from '../images/overlay.js';
import type { RgbImage } from '../images/read-image.js';
import { formatShare } from '../terminal/text.js';

/** How to run a model. */
export interface VlmOptions {
  /** An embedded model such as `tiny`, a hub id such as `HuggingFaceTB/SmolVLM2-256M-Video-Instruct`, or a folder. */
  readonly model: string;
  /** The backend that selects tokens; disposed with the model. */
  readonly backend: Backend;
  /** An execution provider, e.g. `webgpu`. */
  readonly device?: string | undefined;
  /** A precision such as `q4`, for all parts of the model or by part. */
  readonly dtype?: string | Readonly<Record<string, string>> | undefined;
  /** A prompt with `<image>` and `{question}` in place of the model's chat template. */
  readonly promptTemplate?: string | undefined;
  /** Answers first, so that its words join the question; the caller disposes it. */
  readonly agent?: Agent | undefined;
  /** The objective, instead of the paper's. */
  readonly coverage?: readonly ObjectiveTerm[] | undefined;
  /** Which tiles of an image pruned calls encode, including the overview. */
  readonly tiles?: TileBudget | undefined;
}

/** A question about images. */
export interface Request {
  readonly images: readonly RgbImage[];
  readonly question: string;
  /** How many vision tokens of each image to keep; `'all'` runs the model unpruned. */
  readonly budget: Budget | 'all';
  readonly maxNewTokens?: number | undefined;
  /** Receives the answer piece by piece. */
  readonly onText?: ((text: string) => void) | undefined;
}

/** Milliseconds per phase. */
export interface Timings {
  /** Resizing images, building and tokenizing the prompt, and everything outside the other phases. */
  readonly prepareMs: number;
  /** The vision encoder. */
  readonly encodeMs: number;
  /** Selecting tokens. */
  readonly selectMs: number;
  /** The language model on the prompt, which pruning shortens. */
  readonly prefillMs: number;
  /** From pixels to the first token: encoder, selection, and prefill. */
  readonly firstTokenMs: number;
  /** The language model on the answer. */
  readonly decodeMs: number;
  /** From images and question to the whole answer. */
  readonly totalMs: number;
}

/** What was kept of one image. */
export interface ImageTokens {
  readonly visionTokens: number;
  /** Kept tokens, ascending, counted from the image's first. */
  readonly indices: readonly number[];
  /** For each coverage term, the kept tokens' share of the coverage of all tokens. */
  readonly coverage: Readonly<Record<string, number>>;
}

/** An agent's answers, and the words that joined the question. */
export interface AgentWords {
  /** One per image. */
  readonly answers: readonly string[];
  readonly added: readonly string[];
  readonly ms: number;
}

/** An answer with its token counts and times. */
export interface Answer {
  readonly text: string;
  /** Vision tokens of all images, and how many of them the language model received. */
  readonly visionTokens: number;
  readonly keptTokens: number;
  /** One per image; empty if nothing was pruned. */
  readonly images: readonly ImageTokens[];
  /** The images with their kept tokens; none for images whose tokens form no grid. */
  overlay(): Promise<readonly OverlayPanel[]>;
  readonly timings: Timings;
  /** Absent if no agent was asked. */
  readonly agent?: AgentWords;
  /** Human-readable notes. */
  readonly notes: readonly string[];
}

/** A loaded model with pruning attached. */
export interface Vlm {
  /** The model as requested: an embedded model, a hub id, or a folder. */
  readonly name: string;
  /** The backend that selects tokens, e.g. `ort (cpu)`. */
  readonly backend: string;
  ask(request: Request): Promise<Answer>;
  /** Frees the model and its backend. */
  dispose(): Promise<void>;
}

/**
 * Attaches pruning to a loaded model.
 * @throws UnsupportedModelError if the model cannot be pruned. UsageError for `tiles` if it does not split images into tiles.
 */
export async function prunedVlm(loaded: LoadedVlm, options: VlmOptions): Promise<Vlm> {
  const { model: name, backend, agent, coverage, promptTemplate: template, tiles } = options;
  assertTiles(name, loaded, tiles);
  const vlm = await createVlm(loaded, {
    backend,
    budget: { ratio: 1 },
    ...(agent && { agent }),
    ...(coverage && { coverage }),
    ...(tiles !== undefined && { tiles }),
  });
  return {
    name,
    backend: `${backend.name} (${backend.device})`,
    async ask({ images, question, budget, maxNewTokens, onText }) {
      const started = performance.now();
      const request = {
        images: rawImages(vlm, images),
        question,
        mmtok: budget === 'all' ? (false as const) : { budget },
        ...(template !== undefined && { template }),
        ...(maxNewTokens !== undefined && { maxNewTokens }),
      };
      const { text, report } = await (onText ? streamed(vlm, request, onText) : vlm.ask(request));
      const totalMs = performance.now() - started;
      const { encodeMs, agentMs = 0, selectMs, prefillMs, firstTokenMs, decodeMs } = report.timings;
      const agentReport = report.prompts[0]?.agent;
      const isPruned = budget !== 'all';
      return {
        text,
        visionTokens: report.visionTokens,
        keptTokens: report.keptTokens,
        images: isPruned ? report.images.map(tokensOf) : [],
        overlay: async () => (isPruned ? await drawable(vlm, report, { images, question, template }) : []),
        timings: {
          prepareMs: Math.max(0, totalMs - encodeMs - agentMs - selectMs - prefillMs - decodeMs),
          encodeMs,
          selectMs,
          prefillMs,
          firstTokenMs,
          decodeMs,
          totalMs,
        },
        ...(agentReport && {
          agent: { answers: agentReport.answers, added: agentReport.added, ms: agentReport.ms },
        }),
        notes: [
          ...new Set([
            ...report.notes,
            ...selectionNotes(report),
            ...(isPruned && tiles === undefined && tilesCanBeLeftOut(loaded) ? tileHint(report) : []),
          ]),
        ],
      };
    },
    async dispose() {
      await vlm.dispose();
      await loaded.model.dispose();
      await backend.dispose();
    },
  };
}

/** @throws UsageError if a model is to encode only some tiles but does not split images into tiles. */
export function assertTiles(name: string, loaded: LoadedVlm, tiles: TileBudget = 'all'): void {
  if (tiles === 'all' || tilesCanBeLeftOut(loaded)) return;
  throw new UsageError(
    `--tiles: the model '${name}' does not split images into tiles that can be left out. Families that do: ` +
      `${TILED_FAMILIES.map((family) => family.name).join(', ')}.`,
  );
}

const TILED_FAMILIES = families.flatMap((family) =>
  family.status === 'pruned' && family.tiling ? [family] : [],
);

function tilesCanBeLeftOut({ modelType }: LoadedVlm): boolean {
  return TILED_FAMILIES.some(({ modelTypes }) => modelTypes.includes(modelType));
}

/** Suggests `--tiles` if the image has tiles and encoding them took most of the time to the first token. */
export function tileHint({
  images,
  timings,
}: {
  readonly images: readonly Pick<PruneReport['images'][number], 'tiles'>[];
  readonly timings: Pick<PruneReport['timings'], 'encodeMs' | 'firstTokenMs'>;
}): string[] {
  const tiles = Math.max(0, ...images.map((image) => image.tiles.length));
  const share = timings.encodeMs / timings.firstTokenMs;
  // Five tiles are the overview and the four most useful ones.
  if (tiles <= 5 || share <= 0.5) return [];
  return [
    `the encoder took ${formatShare(share)} of the time to first token: --tiles 5 encodes 5 of ${tiles} tiles`,
  ];
}

async function streamed(
  vlm: PrunableVlm,
  request: AskRequest,
  onText: (text: string) => void,
): ReturnType<PrunableVlm['ask']> {
  const stream = vlm.stream(request);
  for await (const piece of stream) onText(piece);
  return await stream.answer;
}

function tokensOf({ visionTokens, indices, selections }: PruneReport['images'][number]): ImageTokens {
  return { visionTokens, indices, coverage: selections[0]?.coverage ?? {} };
}

interface OverlayRequest extends Pick<Request, 'images' | 'question'> {
  readonly template: string | undefined;
}

/** Runs the processor again to recover what the encoder saw, which only an overlay needs. */
async function drawable(
  vlm: PrunableVlm,
  report: PruneReport,
  { images, question, template }: OverlayRequest,
): Promise<OverlayPanel[]> {
  const { processor } = vlm;
  const inputs = await inputsOf(vlm, rawImages(vlm, images), question, {
    template,
    tokensPerImage: async () => report.visionTokens / images.length,
  });
  return overlayPanels(report.images, images, {
    pixels: inputs.pixel_values as PixelTensor | undefined,
    processing: (processor.image_processor ?? {}) as ImageProcessing,
  });
}

function rawImages({ library }: Pick<PrunableVlm, 'library'>, images: readonly RgbImage[]): RawImage[] {
  return images.map(({ data, width, height }) => new library.RawImage(data, width, height, 3));
}

/** Why nothing was pruned, and the notes of the selections. */
function selectionNotes({ reason, images, visionTokens }: PruneReport): string[] {
  const notes = images.flatMap(({ selections }) => selections.flatMap((selection) => selection.notes));
  const all = `all ${visionTokens} vision tokens were kept`;
  switch (reason) {
    case 'belowBudget':
      return notes.length > 0 ? notes : [`${all}: the budget allows as many`];
    case 'costsMore':
      // The report's own note has the numbers.
      return notes;
    case 'belowMinVisionTokens':
      return [...notes, `${all}: pruning so few would cost more than it saves`];
    default:
      return notes;
  }
}

/** A model with what turns a question about images into its inputs. */
type Promptable = Pick<LoadedVlm, 'library' | 'processor' | 'model'>;

/** The inputs of `generate` for one question about images, by the model's own processor. */
export function inputsOf(
  { library, processor, model }: Promptable,
  images: readonly RawImage[],
  question: string,
  options: Pick<ProcessRequest, 'template' | 'tokensPerImage'>,
): Promise<ModelInputs> {
  const places = images.map(() => ({ type: 'image' }) as const);
  return processInputs(library, processor, {
    messages: [{ role: 'user', content: [...places, { type: 'text', text: question }] }],
    images,
    config: model.config as never,
    ...options,
  });
}
