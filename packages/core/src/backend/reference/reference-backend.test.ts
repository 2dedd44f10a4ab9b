import { describeBackend } from '../../testing/index.js';
import { createReferenceBackend } from './index.js';

describeBackend({ name: 'reference', create: createReferenceBackend });
