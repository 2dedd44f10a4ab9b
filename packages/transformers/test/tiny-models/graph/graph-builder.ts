// Builds an ONNX graph operator by operator. A value is the name of its tensor.
import {
  type Dim,
  type Dtype,
  encodeModel,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from '@mmtok/onnx';
import type { Weights } from './weights.js';

/** The name of a tensor in the graph that is being built. */
export type Value = string;

type Attributes = Readonly<Record<string, OnnxAttribute>>;

/** A graph under construction. */
export class GraphBuilder {
  readonly #name: string;
  readonly #weights: Weights;
  readonly #inputs: OnnxValue[] = [];
  readonly #outputs: OnnxValue[] = [];
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor & { name: string }>();
  #count = 0;

  /** `name` goes into the names of weights, so two graphs of a model get different ones. */
  constructor(name: string, weights: Weights) {
    this.#name = name;
    this.#weights = weights;
  }

  input(name: string, dtype: Dtype, dims: readonly Dim[]): Value {
    this.#inputs.push({ name, dtype, dims });
    return name;
  }

  /** Makes `value` a graph output called `name`. */
  output(name: string, value: Value): void {
    this.#nodes.push({ opType: 'Identity', inputs: [value], outputs: [name] });
    this.#outputs.push({ name });
  }

  /** Applies an operator of one output. A `name` makes the output recognisable: `${name}_output_0`, as exporters do. */
  op(opType: string, inputs: readonly Value[], attributes: Attributes = {}, name?: string): Value {
    const node = name ?? `/${this.#name}/${opType}_${this.#count++}`;
    const output = `${node}_output_0`;
    this.#nodes.push({ opType, name: node, inputs, outputs: [output], attributes });
    return output;
  }

  /** Like `op`, for an operator that has outputs called `outputs`. */
  opWithOutputs(
    opType: string,
    inputs: readonly Value[],
    attributes: Attributes,
    outputs: readonly Value[],
  ): void {
    this.#nodes.push({ opType, inputs, outputs, attributes });
  }

  /** Random values between `low` and `high`; the same name gives the same tensor. */
  uniform(name: string, dims: readonly number[], low: number, high: number): Value {
    const data = this.#weights.uniform(
      `${this.#name}/${name}`,
      dims.reduce((product, dim) => product * dim, 1),
      low,
      high,
    );
    return this.#constant(name, { dtype: 'float32', dims, data });
  }

  /** A random weight of mean 0 and standard deviation `deviation`. */
  weight(name: string, dims: readonly number[], deviation: number): Value {
    const bound = Math.sqrt(3) * deviation;
    return this.uniform(name, dims, -bound, bound);
  }

  /** A constant vector of integers. */
  ints(values: readonly number[]): Value {
    return this.#constant(`ints[${values}]`, { dtype: 'int64', dims: [values.length], data: values });
  }

  /** A constant integer without dims. */
  int(value: number): Value {
    return this.#constant(`int(${value})`, { dtype: 'int64', dims: [], data: [value] });
  }

  /** A constant number without dims. */
  float(value: number): Value {
    return this.#constant(`float(${value})`, { dtype: 'float32', dims: [], data: [value] });
  }

  /** A constant vector of numbers. */
  floats(name: string, data: readonly number[]): Value {
    return this.#constant(name, { dtype: 'float32', dims: [data.length], data });
  }

  /** A graph for the attribute of an `If` or `Loop`; it may use values of this one. */
  subgraph(name: string): GraphBuilder {
    return new GraphBuilder(`${this.#name}/${name}`, this.#weights);
  }

  graph(): OnnxGraph {
    return {
      name: this.#name,
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#nodes,
      initializers: [...this.#initializers.values()],
    };
  }

  bytes(): Uint8Array {
    const model: OnnxModel = { graph: this.graph() };
    return encodeModel(model);
  }

  #constant(name: string, tensor: OnnxTensor): Value {
    const full = `${this.#name}.${name}`;
    this.#initializers.set(full, { ...tensor, name: full });
    return full;
  }
}
