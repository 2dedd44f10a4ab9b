// Runs before the test files of `pnpm test`: sessions of ONNX Runtime get one thread unless a test asks for more. Vitest's workers
// use all cores already, and a session's further threads spin while they wait, which costs a third of the time.
// `pnpm test:model` and the packed packages run with the default number of threads.
import { createRequire } from 'node:module';

interface Options {
  readonly intraOpNumThreads?: number;
}
interface Runtime {
  readonly InferenceSession: { create(...given: unknown[]): Promise<unknown> };
}

// Every session in Node is created by this copy, whoever imports it.
const ofTransformers = createRequire(new URL('packages/transformers/package.json', import.meta.url));
const ofRuntime = createRequire(ofTransformers.resolve('onnxruntime-node'));
const { InferenceSession } = ofRuntime('onnxruntime-common') as Runtime;

const create = InferenceSession.create.bind(InferenceSession);
InferenceSession.create = (...given) => {
  const last = given.at(-1);
  const hasOptions = given.length > 1 && typeof last === 'object';
  const options: Options = { intraOpNumThreads: 1, ...(hasOptions && (last as Options)) };
  return create(...(hasOptions ? given.slice(0, -1) : given), options);
};
