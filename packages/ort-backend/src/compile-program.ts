// Turns a program into the bytes of one ONNX graph, for inputs of given element types and any size.

import type { HostTensor, Program } from '@mmtok/core';
import { encodeModel } from '@mmtok/onnx';
import { type SymbolicTensor, startRecording } from './symbolic-ops.js';

/** The element type of each input. */
export type InputTypes = Readonly<Record<string, HostTensor['type']>>;

const TO_FLOAT = { to: { int: 1 } };
const TO_INT32 = { to: { int: 6 } };
const TO_INT64 = { to: { int: 7 } };

/**
 * The ONNX model of `program`, with the program's dimension names as symbolic dimensions. Half-precision inputs are
 * widened first thing, so that nothing is computed in half precision.
 */
export function compileProgram(program: Program, types: InputTypes): Uint8Array {
  const recording = startRecording();
  const { ops, node } = recording;
  const inputs = Object.entries(program.inputs).map(([name, { dims }]) => ({
    name,
    dtype: types[name] as HostTensor['type'],
    dims,
  }));
  const symbols = Object.fromEntries(
    inputs.map(({ name, dtype }): [string, SymbolicTensor] => {
      if (dtype === 'float16') return [name, node('Cast', [{ name }], TO_FLOAT)];
      return [name, dtype === 'int32' ? node('Cast', [{ name }], TO_INT64) : { name }];
    }),
  );
  const built = program.build(ops, symbols);
  const outputs = Object.entries(program.outputs).map(([name, { dtype }]) => {
    const symbol = built[name] as SymbolicTensor;
    return dtype === 'int32' ? node('Cast', [symbol], TO_INT32, name) : node('Identity', [symbol], {}, name);
  });
  return encodeModel({
    graph: { name: program.name, inputs, outputs, nodes: recording.nodes, initializers: recording.constants },
  });
}
