// Agents under evaluation: a model that answers first, and an oracle that is told the true answer. Their answers become
// words by the same rules.

import { type Agent, enrichQuestion } from '@mmtok/agent';
import type { EvalAgent, EvalAgents } from '@mmtok/eval';
import { readRawImages } from './raw-images.js';

/** An agent of @mmtok/agent, asked about each picture of a question. */
export function evalAgent(name: string, agent: Agent): EvalAgent {
  return {
    name,
    async ask({ images, prompt }) {
      const library = await import('@huggingface/transformers');
      const answers: string[] = [];
      const added = new Set<string>();
      for (const image of await readRawImages(library, images)) {
        const reply = await agent(image, prompt);
        answers.push(reply.answer);
        for (const word of reply.added) added.add(word);
      }
      return { answer: answers.join('\n'), added: [...added] };
    },
  };
}

/** The true answer by the default rules of enrichment. */
export const evalOracle: NonNullable<EvalAgents['oracle']> = ({ prompt }, truth) => ({
  answer: truth,
  added: enrichQuestion(prompt, truth).added,
});
