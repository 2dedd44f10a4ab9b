// Lets anything choose vision tokens within a call of @mmtok/transformers: a backend that computes no coverage but asks
// whoever chooses, and a search that picks what was chosen. It knows no method and no model.

import {
  type Backend,
  type CoverageTerm,
  defineCoverage,
  type Float32Tensor,
  type HostTensor,
  InvalidTensorError,
  type Maximizer,
  type ObjectiveTerm,
  type TensorSpecs,
} from '@mmtok/core';
import { checkInputs, float32, type Program, type RunOptions, widen } from '@mmtok/core/backend';

/** The features of one picture, as pruning would see them. */
export interface HookFeatures {
  readonly vision: Float32Tensor;
  readonly visionFeatures: Float32Tensor;
  readonly text?: Float32Tensor;
}

/** Chooses tokens of one picture. */
export type ChooseTokens = (features: HookFeatures) => Promise<readonly number[]>;

/** Options of one call of `generate` under which `choose` decides. */
export interface ChoiceOptions {
  readonly coverage: readonly ObjectiveTerm[];
  readonly budget: { readonly coverage: 1 };
  readonly maximizer: Maximizer;
}

/** These terms compute nothing: they are there to be handed their inputs. */
const textProbe = defineCoverage({
  name: 'text',
  inputs: { vision: { dims: ['n', 'D'] }, text: { dims: ['m', 'D'] } },
  targets: 'm',
  build: (ops, { vision, text }) => ({ affinity: ops.matMul(vision, text, { transposeB: true }) }),
});
const visionProbe = defineCoverage({
  name: 'vision',
  inputs: { vision: { dims: ['n', 'D'] }, visionFeatures: { dims: ['n', 'd'] } },
  targets: 'd',
  build: (_ops, { visionFeatures }) => ({ affinity: visionFeatures }),
});

/** One at a time: the calls of a hook may not overlap. */
export class ChoiceHook implements Backend {
  readonly name = 'choice';
  readonly device = 'host';
  readonly precision = 0;
  private choose: ChooseTokens | undefined;
  private text: Float32Tensor | undefined;
  private picks: readonly number[] = [];

  /** Options for the next call, in which `choose` is asked once per picture. */
  during(choose: ChooseTokens): ChoiceOptions {
    this.choose = choose;
    this.text = undefined;
    return {
      // The probe of the text goes first: it is left out where there is no text.
      coverage: [textProbe(), visionProbe()] satisfies CoverageTerm[],
      // Neither a number nor a share, which would be known before anything is chosen.
      budget: { coverage: 1 },
      maximizer: {
        name: 'chosen',
        maximize: (objective, { pick }) => {
          for (const token of this.picks) pick(token);
          return objective.initialBounds();
        },
      },
    };
  }

  async run<I extends TensorSpecs, O extends TensorSpecs>(
    program: Program<I, O>,
    given: Readonly<Record<keyof I, HostTensor>>,
    options: RunOptions<O> = {},
  ): Promise<Record<keyof O, HostTensor>> {
    const inputs: Readonly<Record<string, HostTensor>> = given;
    const into: Readonly<Record<string, Float32Array | undefined>> = options.into ?? {};
    const lengths = checkInputs(program, inputs);
    const tensor = (name: string): Float32Tensor | undefined => {
      const input = inputs[name];
      return input === undefined ? undefined : (widen(input) as Float32Tensor);
    };
    this.text = tensor('text') ?? this.text;
    const vision = tensor('vision');
    const visionFeatures = tensor('visionFeatures');
    if (vision !== undefined && visionFeatures !== undefined) {
      if (this.choose === undefined) throw new InvalidTensorError('vision', 'was computed outside a call');
      this.picks = await this.choose({ vision, visionFeatures, ...(this.text && { text: this.text }) });
      this.text = undefined;
    }
    return Object.fromEntries(
      Object.entries(program.outputs).map(([name, { dims }]) => {
        const shape = dims.map((dim) => lengths.get(dim) ?? 1);
        const data = into[name] ?? new Float32Array(shape.reduce((product, length) => product * length, 1));
        return [name, float32(data.fill(0), shape)];
      }),
    ) as Record<keyof O, HostTensor>;
  }

  async dispose(): Promise<void> {
    this.choose = undefined;
  }
}
