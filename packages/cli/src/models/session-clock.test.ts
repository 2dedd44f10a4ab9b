import { expect, it } from 'vitest';
import { timeSessions } from './session-clock.js';

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

class Session {
  readonly outputNames: readonly string[];
  constructor(outputNames: readonly string[]) {
    this.outputNames = outputNames;
  }
  async run(...args: unknown[]): Promise<unknown> {
    await wait(args[0] as number);
    return this.outputNames;
  }
}

it('times the encoder, the first step and further steps apart, and leaves sessions as they were', async () => {
  const vision = new Session(['image_features', 'vision_features']);
  const embed = new Session(['inputs_embeds']);
  const decoder = new Session(['logits', 'present.0.key']);
  const { result, times } = await timeSessions([vision, embed, decoder], async () => {
    await vision.run(20);
    await embed.run(5);
    await decoder.run(40);
    await decoder.run(10);
    return await decoder.run(10);
  });
  expect(result).toBe(decoder.outputNames);
  expect(times.encodeMs).toBeGreaterThan(18);
  expect(times.prefillMs).toBeGreaterThan(38);
  expect(times.decodeMs).toBeGreaterThan(18);
  expect(Object.hasOwn(decoder, 'run')).toBe(false);
});

it('leaves sessions as they were after a failure, and keeps what others put there', async () => {
  const session = new Session(['logits']);
  const own = async () => {
    throw new Error('out of memory');
  };
  session.run = own;
  await expect(timeSessions([session], () => session.run())).rejects.toThrow('out of memory');
  expect(session.run).toBe(own);
});
