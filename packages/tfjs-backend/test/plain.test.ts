import { describeEngine } from './describe-engine.js';
import { createPlain } from './engines.js';

describeEngine({ name: 'plain', module: '@tensorflow/tfjs', create: createPlain });
