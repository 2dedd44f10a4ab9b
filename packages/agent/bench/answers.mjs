// Who answers before a method runs, for `score.mjs --agents` of packages/eval: the embedded `small` model, and an oracle that knows the
// true answer. Each gives the words that its answer adds to the question, by the default rules of enrichment.
import { RawImage } from '@huggingface/transformers';
import { createAgent, enrichQuestion } from '@mmtok/agent';
import { smallModelPath } from '@mmtok/tiny-vlm';

const small = await createAgent({ model: smallModelPath });

export const agent = async ({ image, question }) => (await small(await RawImage.read(image), question)).added;
export const oracle = async ({ question, answer }) => enrichQuestion(question, answer).added;
export const dispose = () => small.dispose();
