import { createVlm } from '@mmtok/transformers';

const vlm = await createVlm('HuggingFaceTB/SmolVLM2-256M-Video-Instruct', {
  dtype: 'q4',
  keep: 0.1,
  tiles: { max: 5 },
});
const { text } = await vlm.ask({ image: 'table.jpg', question: 'What is on the table?' });
console.log(text);
await vlm.dispose();
