import { describeEngine } from './describe-engine.js';
import { createWasm } from './engines.js';

describeEngine({ name: 'wasm', module: '@tensorflow/tfjs', create: createWasm });
