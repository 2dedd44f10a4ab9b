// Prune a vision-language model of transformers.js: load it as ever, attach, ask as ever. Here the small model that
// comes with mmtok, so that nothing is downloaded; put in any LLaVA, SmolVLM, Qwen-VL, … of the hub instead.

import { createOrtBackend } from '@mmtok/ort-backend';
import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

const { model, processor, ask } = await loadTinyVlm();
const backend = await createOrtBackend();

const handle = prune(model, { processor, backend, budget: { ratio: 0.1 } });
for (const { image, question, answer } of (await samples()).slice(0, 3)) {
  const given = await ask(image, question); // model.generate() as ever
  const { tokensBefore, tokensAfter } = handle.lastSelection ?? {};
  console.log(`${question} ${given} (expected ${answer}; ${tokensAfter} of ${tokensBefore} vision tokens)`);
}

handle.detach(); // the model is as it was
await backend.dispose();
