// The README's quick start, for the compiler to read. Never run: it would download a model.

import { load_image, type Tensor } from '@huggingface/transformers';
import { createOrtBackend } from '@mmtok/ort-backend';
import { loadVlm, prune } from '@mmtok/transformers';

const { model, processor, tokenizer } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct', { dtype: 'q8' });
const handle = prune(model, { processor, backend: await createOrtBackend(), budget: { ratio: 0.1 } });

const content = [{ type: 'image' }, { type: 'text', text: 'What is on the table?' }];
const prompt = processor.apply_chat_template([{ role: 'user', content }], {
  tokenize: false,
  add_generation_prompt: true,
});
const inputs = await processor(prompt, [await load_image('table.jpg')]);
const output = (await model.generate({ ...inputs, max_new_tokens: 64 })) as Tensor;
console.log(
  tokenizer.batch_decode(output.slice(null, [inputs.input_ids.dims.at(-1), null])),
  handle.lastReport,
);
