// The reference backend: runs programs eagerly on the reference operations. Slow, but needs no engine.

import { DisposedError } from '../errors.js';
import { type Backend, checkInputs, checkInto } from './backend.js';
import type { TensorSpecs } from './program.js';
import { type ReferenceTensor, referenceOps } from './reference-ops.js';
import { float32, type HostTensor, widen } from './tensor.js';

/**
 * A backend in plain JavaScript with double-precision arithmetic, for tests, small inputs, and as the definition of every
 * operation. For more than a few hundred vision tokens use `@mmtok/ort-backend`.
 */
export function createReferenceBackend(): Backend {
  let disposed = false;
  return {
    name: 'reference',
    device: 'cpu',
    precision: 1e-6,
    async run(program, inputs, options) {
      if (disposed) throw new DisposedError("Backend 'reference'");
      checkInputs(program, inputs);
      const tensors = Object.fromEntries(
        Object.keys(program.inputs).map((name) => [name, fromHost(inputs[name] as HostTensor)]),
      );
      const outputs = program.build(referenceOps, tensors as never) as Readonly<
        Record<string, ReferenceTensor>
      >;
      const into: Readonly<Record<string, Float32Array | undefined>> = options?.into ?? {};
      const read = Object.entries(program.outputs as TensorSpecs).map(([name, spec]) => {
        const { dims, data } = outputs[name] as ReferenceTensor;
        if (spec.dtype === 'int32') return [name, { type: 'int32', data: Int32Array.from(data), dims }];
        const target = into[name] ?? new Float32Array(data.length);
        checkInto(program, name, dims, target);
        target.set(data);
        return [name, float32(target, dims)];
      });
      return Object.fromEntries(read);
    },
    async dispose() {
      disposed = true;
    },
  };
}

function fromHost(host: HostTensor): ReferenceTensor {
  const { data, dims } = widen(host);
  return { dims, data: Float64Array.from(data) };
}
