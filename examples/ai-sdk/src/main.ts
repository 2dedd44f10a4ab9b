// Asks a pruned local model through the AI SDK: once for the whole answer, once for a stream.
import { readFile } from 'node:fs/promises';
import { modelPath, samples } from '@mmtok/tiny-vlm';
import { createVlm } from '@mmtok/transformers';
import { generateText, streamText } from 'ai';
import { languageModel } from './language-model.js';

// The embedded model needs no network. For photographs: MODEL=HuggingFaceTB/SmolVLM2-256M-Video-Instruct
const vlm = await createVlm(process.env.MODEL ?? modelPath, { keep: 0.1 });
const model = languageModel(vlm);

const [sample] = await samples();
if (sample === undefined) throw new Error('The samples are missing.');
const image = await readFile(sample.image);

const { text, usage, providerMetadata } = await generateText({
  model,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image', image },
        { type: 'text', text: sample.question },
      ],
    },
  ],
});
console.log(`${sample.question} ${text} (${usage.inputTokens} input tokens)`, providerMetadata?.mmtok);

const stream = streamText({
  model,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image', image },
        { type: 'text', text: 'Describe the image.' },
      ],
    },
  ],
  providerOptions: { mmtok: { keep: 64 } },
});
for await (const piece of stream.textStream) process.stdout.write(piece);
console.log('', (await stream.providerMetadata)?.mmtok);

await vlm.dispose();
