// What the blocks of packages/ort-backend/README.md assume.
import type { PreTrainedModel } from '@huggingface/transformers';

declare const model: PreTrainedModel;
