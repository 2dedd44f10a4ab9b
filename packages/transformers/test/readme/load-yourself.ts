import type { Tensor } from '@huggingface/transformers';
import { loadVlm, processInputs, prune } from '@mmtok/transformers';

const { library, model, processor, tokenizer } = await loadVlm('HuggingFaceTB/SmolVLM-256M-Instruct', {
  dtype: 'q8',
});
const handle = prune(model, { processor, budget: { ratio: 0.1 } });

const inputs = await processInputs(library, processor, {
  messages: [{ role: 'user', content: [{ type: 'image' }, { type: 'text', text: 'What is on the table?' }] }],
  images: [await library.load_image('table.jpg')],
});
const output = (await model.generate({ ...inputs, max_new_tokens: 64 })) as Tensor;
console.log(tokenizer.batch_decode(output, { skip_special_tokens: true }), handle.lastReport);
