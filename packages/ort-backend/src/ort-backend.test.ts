import { describeBackend } from '@mmtok/core/testing';
import { createOrtBackend } from './index.js';

describeBackend({ name: 'ort on cpu', create: () => createOrtBackend() });
