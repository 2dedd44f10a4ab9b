// Plans the calls of one model: holds its profile and adjusts to measured times.

import type { Processor, RawImage } from '@huggingface/transformers';
import { sum } from '@mmtok/core/internal';
import { canFitImages, fitImage } from '../families/fit-image.js';
import { prunedFamilyOf } from '../families/index.js';
import type { ModelInputs } from '../families/process.js';
import { tileCount } from '../families/tiling.js';
import type { ModelLike } from '../internal/types.js';
import type { CallOptions } from '../options.js';
import type { PlanReport, PruneReport } from '../report.js';
import type { TimeBudget } from '../vlm/request.js';
import { RecentCalls } from './corrections.js';
import { type PhaseCosts, phaseTimes, totalMs } from './costs.js';
import { makePlan, type Plan } from './make-plan.js';
import { type ProfiledVlm, profileVlm, timesOf, type VlmProfile } from './profile.js';

/** Images at the planned resolution, and the processor to use for them. */
export interface PlannedImages {
  readonly images: readonly RawImage[];
  readonly processor: Processor;
}

/** A processed prompt. */
export interface PlannedPrompt {
  readonly tensors: ModelInputs;
  readonly images: number;
  readonly visionTokens: number;
  readonly textTokens: number;
  /** Milliseconds since the pixels became available. */
  readonly spentMs: number;
}

/** The plan of a call. */
export interface PlannedCall {
  readonly options: Pick<CallOptions, 'budget' | 'tiles' | 'costGuard'>;
  /** Adds the plan and the measured time to the report. */
  readonly reported: (report: PruneReport) => PruneReport;
}

/** Scales for downsizing images, as fractions of their vision tokens. */
const SCALES = [1, 3 / 4, 1 / 2, 1 / 3, 1 / 4, 1 / 6, 1 / 10];

/** Plans calls that have a {@link TimeBudget}. */
export class Planner {
  private readonly vlm: ProfiledVlm;
  private profile: Promise<VlmProfile> | undefined;
  private readonly recent = new RecentCalls();

  constructor(vlm: ProfiledVlm) {
    this.vlm = vlm;
  }

  /** Makes sure that a profile exists, and measures it if necessary. */
  async ready(template: string | undefined): Promise<void> {
    this.profile ??= profileVlm(this.vlm, { template });
    try {
      await this.profile;
    } catch (error) {
      this.profile = undefined;
      throw error;
    }
  }

  /** Downsizes images if the encoder would take too long, for families that keep the size of images. */
  async fit(
    images: readonly RawImage[],
    question: string,
    { firstTokenMs }: TimeBudget,
  ): Promise<PlannedImages> {
    const { model, processor } = this.vlm;
    const same = { images, processor };
    const family = prunedFamilyOf(model as unknown as ModelLike);
    if (images.length === 0 || family.tiling !== undefined || !canFitImages(processor)) return same;
    const counts = await Promise.all(
      images.map(async (image) => {
        const { visionTokens } = await fitImage(processor, image, { visionTokens: Number.MAX_SAFE_INTEGER });
        return visionTokens;
      }),
    );
    const all = sum(counts);
    const { visionTokens } = makePlan(
      await this.costs(),
      {
        visionTokens: SCALES.map((scale) => Math.max(images.length, Math.round(all * scale))),
        allTiles: 1,
        images: images.length,
        // An estimate, because the prompt does not exist yet: about four characters per token, plus the tokens of the template.
        textTokens: 30 + Math.ceil(question.length / 4),
      },
      { firstTokenMs, corrections: this.recent.corrections },
    );
    if (visionTokens >= all) return same;
    const fitted = await Promise.all(
      images.map(async (image, at) => {
        const most = Math.max(1, Math.floor((visionTokens * (counts[at] as number)) / all));
        // If even the smallest size is too slow, the image keeps its size and fewer of its tokens are kept.
        const one = await fitImage(processor, image, { visionTokens: most }).catch(() => undefined);
        return one?.image ?? image;
      }),
    );
    return { images: fitted, processor };
  }

  /** Plans a call whose prompt is ready. */
  async plan(
    { tensors, spentMs, ...prompt }: PlannedPrompt,
    { firstTokenMs }: TimeBudget,
  ): Promise<PlannedCall> {
    const { visionTokens, textTokens } = prompt;
    const family = prunedFamilyOf(this.vlm.model as unknown as ModelLike);
    const allTiles = tileCount(family, tensors);
    const images = Math.max(1, prompt.images);
    const costs = await this.costs();
    const plan = makePlan(
      costs,
      { visionTokens: [visionTokens], allTiles, images, textTokens },
      { firstTokenMs, corrections: this.recent.corrections, spentMs },
    );
    const isWhole = plan.keptTokens >= visionTokens;
    return {
      options: {
        // The plan already accounts for the measured cost of selection.
        costGuard: false,
        budget: isWhole ? { ratio: 1 } : { tokens: Math.max(1, Math.floor(plan.keptTokens / images)) },
        ...(allTiles > 1 && { tiles: plan.tiles < allTiles ? { share: plan.tiles / allTiles } : 'all' }),
      },
      reported: (report) => this.reported(report, plan, costs, firstTokenMs),
    };
  }

  private async costs(): Promise<VlmProfile['costs']> {
    await this.ready(undefined);
    return (await (this.profile as Promise<VlmProfile>)).costs;
  }

  private reported(report: PruneReport, plan: Plan, costs: PhaseCosts, firstTokenMs: number): PruneReport {
    const took = { processMs: plan.predicted.processMs, ...timesOf(report) };
    // Images that were still encoded from an earlier call say nothing about the plan.
    if (took.encodeMs > 0) this.recent.record(took, phaseTimes(costs, plan));
    const own: PlanReport = {
      firstTokenMs,
      predictedMs: plan.predictedMs,
      tookMs: totalMs(took),
      phases: { predicted: plan.predicted, took },
      isFeasible: plan.isFeasible,
      visionTokens: plan.visionTokens,
      encodedTokens: plan.encodedTokens,
      keptTokens: plan.keptTokens,
      ...(plan.allTiles > 1 && { tiles: plan.tiles }),
    };
    const note = `no plan is predicted to meet ${firstTokenMs} ms; the cheapest one was used, predicted to take ${Math.round(plan.predictedMs)} ms`;
    return { ...report, plan: own, ...(!plan.isFeasible && { notes: [...report.notes, note] }) };
  }
}
