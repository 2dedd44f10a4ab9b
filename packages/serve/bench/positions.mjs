// Do the positions of kept tokens matter? The embedded model answers held-out questions with the positions that the tokens had in
// the image (`preserve`), and with consecutive positions (`compact`), as vLLM numbers the rows that it receives.
//
//   pnpm build && node packages/serve/bench/positions.mjs [questions]

import { heldOut, modelPath } from '@mmtok/tiny-vlm';
import { createVlm } from '@mmtok/transformers';

const questions = await heldOut({ limit: Number(process.argv[2] ?? 90) });
const policies = ['preserve', 'compact'];
const vlm = await createVlm(modelPath, { followUps: 'reselect', visionCacheSize: 2 });
const percent = (count) => `${((100 * count) / questions.length).toFixed(1)} %`.padStart(8);

console.log(
  `${questions.length} held-out questions, tiny-vlm (LLaVA layout, 576 vision tokens, rotary positions)`,
);
console.log('kept    preserve   compact   same answer');
for (const ratio of [0.5, 0.25, 0.1]) {
  const correct = { preserve: 0, compact: 0 };
  let same = 0;
  for (const { image, question, answer } of questions) {
    const texts = [];
    for (const positions of policies) {
      const { text } = await vlm.ask({
        image,
        question,
        keep: ratio,
        mmtok: { positions },
        maxNewTokens: 16,
      });
      texts.push(text.trim().toLowerCase());
      if (texts.at(-1) === answer) correct[positions] += 1;
    }
    if (texts[0] === texts[1]) same += 1;
  }
  console.log(
    `${percent(ratio * questions.length)}${percent(correct.preserve)}  ${percent(correct.compact)}      ${percent(same)}`,
  );
}
await vlm.dispose();
