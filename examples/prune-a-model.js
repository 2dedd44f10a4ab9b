// Prune a vision-language model of transformers.js: load it as usual, attach, and ask as usual. This is the small model that
// comes with mmtok, so nothing is downloaded. A LLaVA, SmolVLM, or Qwen-VL from the hub works the same way.

import { loadTinyVlm, samples } from '@mmtok/tiny-vlm';
import { prune } from '@mmtok/transformers';

const { model, processor, ask } = await loadTinyVlm();

// Similarities are computed by the ONNX Runtime that runs the model.
const handle = prune(model, { processor, budget: { ratio: 0.1 } });
for (const { image, question, answer } of (await samples()).slice(0, 3)) {
  const given = await ask(image, question); // calls model.generate()
  const { visionTokens, keptTokens } = handle.lastReport ?? {};
  console.log(`${question} ${given} (expected ${answer}; ${keptTokens} of ${visionTokens} vision tokens)`);
}

await handle.restore(); // the model is as it was
