// An embedded model that reads many selections of a question's vision tokens at once, for score.mjs and trade-off.mjs.
import { buildPrompt, loadTinyVlm } from '@mmtok/tiny-vlm';
import { processInputs, prune } from '@mmtok/transformers';

/** Prompt lengths times selections that are read at once, so that memory stays small. */
const BATCH = 2048;

/**
 * Loads an embedded model: `base`, `small` or `tiled`. Kept tokens keep their positions in the whole prompt, as by default in `prune`
 * (`preserve`), or are renumbered (`compact`).
 */
export async function openBatched(size, { positions: policy = 'preserve' } = {}) {
  const { model, processor, tokenizer, library } = await loadTinyVlm({
    size,
    session_options: { intraOpNumThreads: 1, interOpNumThreads: 1 },
  });
  const { Tensor, RawImage } = library;
  const { decoder_model_merged: decoder } = model.sessions;
  const { image_token_id, image_token_index = image_token_id, text_config } = model.config;
  const rotated = text_config.head_dim * (text_config.partial_rotary_factor ?? 1);
  const frequencies = Float64Array.from(
    { length: rotated / 2 },
    (_, d) => text_config.rope_theta ** ((-2 * d) / rotated),
  );
  const handle = prune(model, {
    processor,
    budget: { ratio: 1 },
    minVisionTokens: 1,
    followUps: 'reselect',
  });

  /** Lets the model write an answer with the tokens that `select` chooses. */
  async function write(inputs, question, tokens, select, { max_new_tokens = 8, ...call } = {}) {
    const mmtok = { budget: { tokens }, question, select, ...call };
    const sequences = await handle.generate({ ...inputs, max_new_tokens, do_sample: false, mmtok });
    const written = sequences.slice(null, [inputs.input_ids.dims.at(-1), null]);
    return processor.batch_decode(written, { skip_special_tokens: true })[0].trim().toLowerCase();
  }

  /**
   * A question's features, a function that reads its text again with an agent's words added, and one that scores selections of one
   * length.
   */
  async function prepare({ image, question, answer }) {
    const images = [await RawImage.read(image)];
    const prompt = buildPrompt(question);
    const inputs = await processInputs(library, processor, { prompt, images, config: model.config });
    /** What a method would get. */
    const look = async (call) => {
      let features;
      const select = async (given) => {
        features = given;
        return [0];
      };
      await write(inputs, question, 1, select, { max_new_tokens: 1, ...call });
      return features;
    };
    let features = await look();
    const textWith = async (words) => {
      const reply = { answer: words.join(' '), added: words };
      return (await look({ agent: async () => reply, images })).text;
    };
    const target = [
      ...tokenizer.encode(answer, { add_special_tokens: false }),
      model.generation_config.eos_token_id,
    ]
      .flat()
      .map(Number);
    const ids = [...Array.from(inputs.input_ids.data, Number), ...target.slice(0, -1)];
    const embedded = await model.sessions.embed_tokens.run({
      input_ids: new Tensor('int64', BigInt64Array.from(ids, BigInt), [1, ids.length]).ort_tensor,
    });
    const { data: rows } = embedded.inputs_embeds;
    if (policy === 'preserve') {
      const places = ids.flatMap((id, place) => (id === image_token_index ? [place] : []));
      features = { ...features, positions: { ids: [places], frequencies } };
    }
    const { data: tokens, dims } = features.vision;
    const [count, width] = dims;
    const score = async (lists) => {
      const length = ids.length - count + lists[0].length;
      const shape = [lists.length, length];
      const embeds = new Float32Array(lists.length * length * width);
      const positions = new BigInt64Array(lists.length * length);
      let at = 0;
      const put = (source, row, position) => {
        embeds.set(source.subarray(row * width, (row + 1) * width), at * width);
        positions[at] = BigInt(policy === 'compact' ? at % length : position);
        at++;
      };
      for (const list of lists) {
        const kept = new Set(list);
        let token = 0;
        for (const [place, id] of ids.entries()) {
          if (id !== image_token_index) put(rows, place, place);
          else if (kept.has(token++)) put(tokens, token - 1, place);
        }
      }
      if (at !== positions.length)
        throw new Error(`The prompt of '${question}' has not ${count} vision tokens.`);
      const integers = (numbers) => new Tensor('int64', numbers, shape).ort_tensor;
      const feeds = {
        inputs_embeds: new Tensor('float32', embeds, [...shape, width]).ort_tensor,
        attention_mask: integers(new BigInt64Array(positions.length).fill(1n)),
        position_ids: integers(positions),
      };
      for (const { name, type, shape: past } of decoder.inputMetadata.filter(({ name }) =>
        name.startsWith('past'),
      )) {
        const none = type === 'float16' ? new Uint16Array(0) : new Float32Array(0);
        feeds[name] = new Tensor(type, none, [lists.length, past[1], 0, past[3]]).ort_tensor;
      }
      const { logits } = await decoder.run(feeds, ['logits']);
      const words = logits.dims[2];
      const likeliest = (row) => {
        const scores = logits.data.subarray(row * words, (row + 1) * words);
        return scores.indexOf(scores.reduce((best, one) => Math.max(best, one)));
      };
      return lists.map((_, b) => {
        const first = (b + 1) * length - target.length;
        return target.every((id, i) => likeliest(first + i) === id) ? 1 : 0;
      });
    };
    return { inputs, features, textWith, count, score };
  }

  /** The score of each selection: a list of lists of tokens, ascending, of any lengths. The same tokens are asked about once. */
  async function scoreAll(score, selections) {
    const distinct = [...new Map(selections.map((list) => [list.join(), list])).values()];
    const scores = new Map();
    for (const length of new Set(distinct.map((list) => list.length))) {
      const lists = distinct.filter((list) => list.length === length);
      const most = Math.max(1, Math.floor(BATCH / length));
      for (let from = 0; from < lists.length; from += most) {
        const batch = lists.slice(from, from + most);
        for (const [i, value] of (await score(batch)).entries()) scores.set(batch[i].join(), value);
      }
    }
    return selections.map((list) => scores.get(list.join()));
  }

  return {
    async prepare(question) {
      const { score, ...rest } = await prepare(question);
      return { ...rest, score: (selections) => scoreAll(score, selections) };
    },
    write,
    async close() {
      await handle.restore();
      await model.dispose();
    },
  };
}
