import { createVlm } from '@mmtok/transformers';

const vlm = await createVlm('HuggingFaceTB/SmolVLM2-256M-Video-Instruct', { dtype: 'q4' });
const stream = vlm.stream({
  image: 'table.jpg',
  question: 'Describe the table.',
  signal: AbortSignal.timeout(60_000),
});
for await (const piece of stream) console.log(piece);
const { usage } = await stream.answer;
console.log(`${usage.newTokens} tokens`);
await vlm.dispose();
