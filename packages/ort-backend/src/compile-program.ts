// Turns a program into the bytes of one ONNX graph, for inputs of given element types and any size.

import type { HostTensor } from '@mmtok/core';
import type { Program } from '@mmtok/core/backend';
import { encodeModel, type OnnxNode } from '@mmtok/onnx';
import { blockName } from './row-blocks.js';
import { type RecordingOptions, startRecording } from './symbolic-ops.js';
import type { SymbolicTensor } from './symbolic-tensor.js';

/**
 * The name of a program's input in the graph. The tensors of a graph share one namespace, so inputs and outputs must not collide with
 * each other or with names generated while recording.
 */
export const graphInput = (name: string): string => `in:${name}`;
/** The name of a program's output in the graph. See {@link graphInput}. */
export const graphOutput = (name: string): string => `out:${name}`;

/** The element type of each input. */
export type InputTypes = Readonly<Record<string, HostTensor['type']>>;

/** A program as an ONNX model. */
export interface CompiledProgram {
  readonly model: Uint8Array;
  /** Whether the model depends on {@link RecordingOptions.blocks} and {@link RecordingOptions.kinds}. */
  readonly usesBlocks: boolean;
  /** Names in the graph of the inputs whose blocks of rows are inputs, too. */
  readonly viewed: readonly string[];
}

const TO_FLOAT = { to: { int: 1 } };
const TO_INT32 = { to: { int: 6 } };
const TO_INT64 = { to: { int: 7 } };

/**
 * Compiles `program`, with its dimension names as symbolic dimensions. Half-precision inputs are widened first, so that nothing is
 * computed in half precision.
 */
export function compileProgram(
  program: Program,
  types: InputTypes,
  options: RecordingOptions,
): CompiledProgram {
  const recording = startRecording(options);
  const { ops, node } = recording;
  const inputs = Object.entries(program.inputs).map(([name, { dims }]) => ({
    name: graphInput(name),
    dtype: types[name] as HostTensor['type'],
    dims,
  }));
  const symbols = Object.fromEntries(
    Object.keys(program.inputs).map((name): [string, SymbolicTensor] => {
      const input = { name: graphInput(name) };
      if (types[name] === 'float16') return [name, node('Cast', [input], TO_FLOAT)];
      return [name, types[name] === 'int32' ? node('Cast', [input], TO_INT64) : input];
    }),
  );
  const built = program.build(ops, symbols);
  for (const output of Object.keys(program.outputs)) recording.join(built[output] as SymbolicTensor);
  // A result gets the output's name where it is computed, which saves ONNX Runtime a copy. If that is impossible (an input
  // passed through, one result under two names), an Identity node carries the name.
  const computed = new Set(recording.nodes.flatMap((each) => each.outputs));
  const renamed = new Map<string, string>();
  const outputs = Object.entries(program.outputs).map(([output, { dtype }]) => {
    const symbol = built[output] as SymbolicTensor;
    const name = graphOutput(output);
    if (dtype === 'int32') return node('Cast', [symbol], TO_INT32, name);
    if (!computed.has(symbol.name) || renamed.has(symbol.name)) return node('Identity', [symbol], {}, name);
    renamed.set(symbol.name, name);
    return { name };
  });
  const views = inputs
    .filter(({ name }) => recording.viewed.has(name))
    .flatMap(({ name, dtype, dims: [rows, ...others] }) =>
      Array.from({ length: options.blocks }, (_, i) => ({
        name: blockName(name, i),
        dtype,
        dims: [`${rows} in block ${i}`, ...others],
      })),
    );
  const nodes = renameTensors(recording.nodes, renamed);
  const model = encodeModel({
    graph: {
      name: program.name,
      inputs: [...inputs, ...views],
      outputs,
      nodes,
      initializers: recording.constants,
    },
  });
  return { model, usesBlocks: recording.usesBlocks, viewed: [...recording.viewed] };
}

/** The same nodes with some tensors renamed, also in the bodies of loops, which see the names around them. */
function renameTensors(nodes: readonly OnnxNode[], names: ReadonlyMap<string, string>): OnnxNode[] {
  const rename = (name: string): string => names.get(name) ?? name;
  return nodes.map((node) => {
    const body = node.attributes?.body;
    return {
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
      ...(body !== undefined &&
        'graph' in body && {
          attributes: {
            ...node.attributes,
            body: { graph: { ...body.graph, nodes: renameTensors(body.graph.nodes, names) } },
          },
        }),
    };
  });
}
