// Let an agent answer first, and let its words guide what the model keeps. Here the agent is a plain function. It may also be a
// captioner, an OCR engine, or a small model: createAgent() of @mmtok/agent loads one.

import { agentFrom } from '@mmtok/agent';
import { modelPath, samples } from '@mmtok/tiny-vlm';
import { createVlm } from '@mmtok/transformers';

const agent = agentFrom(() => 'Mostly triangles on white.');

// 'auto' asks only if no word of the question points to one place. Agents help at small budgets, here 6 of 576 tokens.
const vlm = await createVlm(modelPath, { keep: 6, agent: { ask: agent, when: 'auto' } });

const questions = await samples();
const vague = questions.findLast(({ kind }) => kind === 'description'); // 'Describe the image.'
const pointed = questions.find(({ kind, image }) => kind === 'shape' && image === vague?.image);
for (const { image, question } of [vague, pointed].flatMap((sample) => sample ?? [])) {
  const alone = await vlm.ask({ image, question, mmtok: { agent: false } });
  const { text, report } = await vlm.ask({ image, question });
  const { state, added } = report.prompts[0]?.agent ?? {};
  console.log(
    `${question} Alone: ${alone.text}. After the agent (${state}, ${added?.join(' ') || 'nothing'} added): ${text}.`,
  );
}
await vlm.dispose();
