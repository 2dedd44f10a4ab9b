import { createVlm } from '@mmtok/transformers';

const vlm = await createVlm('HuggingFaceTB/SmolVLM2-256M-Video-Instruct', { dtype: 'q4' });
const { text, report, usage, finishReason } = await vlm.ask({
  messages: [
    { role: 'system', content: 'Answer in one word.' },
    {
      role: 'user',
      content: [
        { type: 'image', image: 'table.jpg' },
        { type: 'text', text: 'What is on the table?' },
      ],
    },
    { role: 'assistant', content: 'A vase.' },
    { role: 'user', content: 'Which color is it?' },
  ],
  keep: 64,
  maxNewTokens: 16,
});
console.log(text, finishReason, `${usage.keptTokens} of ${usage.visionTokens} vision tokens`, report.timings);
await vlm.dispose();
