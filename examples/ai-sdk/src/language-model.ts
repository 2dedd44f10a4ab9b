// A pruned local model as a language model of the AI SDK: `generateText` and `streamText` work as with any provider.
import type {
  LanguageModelV3,
  LanguageModelV3CallOptions,
  LanguageModelV3FilePart,
  LanguageModelV3FinishReason,
  LanguageModelV3Prompt,
  LanguageModelV3StreamPart,
  LanguageModelV3Usage,
  SharedV3ProviderMetadata,
  SharedV3Warning,
} from '@ai-sdk/provider';
import { UnsupportedFunctionalityError } from '@ai-sdk/provider';
import type { Answer, AskRequest, ImageInput, Keep, Message, MessagePart, Vlm } from '@mmtok/transformers';

/**
 * Wraps a loaded model as a language model of the AI SDK.
 *
 * `providerOptions: { mmtok: { keep } }` sets how many vision tokens one call keeps; `providerMetadata.mmtok` says what was
 * kept.
 */
export function languageModel(vlm: Vlm): LanguageModelV3 {
  return {
    specificationVersion: 'v3',
    provider: 'mmtok',
    modelId: vlm.modelId,
    // None: the SDK downloads images and hands over their bytes.
    supportedUrls: {},

    async doGenerate(options) {
      const answer = await vlm.ask(toRequest(options));
      return {
        content: [{ type: 'text', text: answer.text }],
        finishReason: finishReasonOf(answer),
        usage: usageOf(answer),
        providerMetadata: metadataOf(answer),
        warnings: warningsOf(options),
      };
    },

    async doStream(options) {
      const answers = vlm.stream(toRequest(options));
      return { stream: toStream(answers, warningsOf(options)) };
    },
  };
}

function toStream(
  answers: ReturnType<Vlm['stream']>,
  warnings: SharedV3Warning[],
): ReadableStream<LanguageModelV3StreamPart> {
  const id = '0';
  async function* parts(): AsyncGenerator<LanguageModelV3StreamPart> {
    yield { type: 'stream-start', warnings };
    yield { type: 'text-start', id };
    try {
      for await (const delta of answers) yield { type: 'text-delta', id, delta };
      const answer = await answers.answer;
      yield { type: 'text-end', id };
      yield {
        type: 'finish',
        finishReason: finishReasonOf(answer),
        usage: usageOf(answer),
        providerMetadata: metadataOf(answer),
      };
    } catch (error) {
      yield { type: 'error', error };
    }
  }
  // Canceling the stream ends the generator, which stops the model.
  const iterator = parts();
  return new ReadableStream({
    async pull(controller) {
      const { value, done } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return(undefined);
    },
  });
}

function toRequest(options: LanguageModelV3CallOptions): AskRequest {
  const { prompt, maxOutputTokens, abortSignal, temperature, topP, topK, providerOptions } = options;
  const isSampled = temperature !== undefined && temperature > 0;
  const keep = providerOptions?.mmtok?.keep as Keep | undefined;
  return {
    messages: prompt.flatMap(toMessage),
    ...(maxOutputTokens !== undefined && { maxNewTokens: maxOutputTokens }),
    ...(abortSignal && { signal: abortSignal }),
    ...(keep !== undefined && { keep }),
    generation: {
      ...(isSampled && { do_sample: true, temperature }),
      ...(isSampled && topP !== undefined && { top_p: topP }),
      ...(isSampled && topK !== undefined && { top_k: topK }),
    },
  };
}

function toMessage(message: LanguageModelV3Prompt[number]): Message[] {
  if (message.role === 'system') return [{ role: 'system', content: message.content }];
  if (message.role === 'tool') throw new UnsupportedFunctionalityError({ functionality: 'tool results' });
  const content = message.content.map((part): MessagePart => {
    if (part.type === 'text') return { type: 'text', text: part.text };
    if (part.type === 'file' && part.mediaType.startsWith('image/')) {
      return { type: 'image', image: toImage(part) };
    }
    throw new UnsupportedFunctionalityError({
      functionality: part.type === 'file' ? `files of type ${part.mediaType}` : `parts of type ${part.type}`,
    });
  });
  return [{ role: message.role, content }];
}

function toImage({ data, mediaType }: LanguageModelV3FilePart): ImageInput {
  if (data instanceof URL) return data;
  if (typeof data === 'string') return `data:${mediaType};base64,${data}`;
  return new Blob([data as Uint8Array<ArrayBuffer>], { type: mediaType });
}

function finishReasonOf({ finishReason }: Answer): LanguageModelV3FinishReason {
  return { unified: finishReason, raw: finishReason };
}

/** Input tokens as the language model read them, pruned. */
function usageOf({ usage }: Answer): LanguageModelV3Usage {
  const read = usage.keptPromptTokens;
  return {
    inputTokens: { total: read, noCache: read, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: usage.newTokens, text: usage.newTokens, reasoning: undefined },
  };
}

function metadataOf({ usage, report }: Answer): SharedV3ProviderMetadata {
  const { visionTokens, keptTokens } = usage;
  const { encodeMs, selectMs, prefillMs, decodeMs } = report.timings;
  return { mmtok: { visionTokens, keptTokens, encodeMs, selectMs, prefillMs, decodeMs } };
}

/** Warnings about settings that the model does not support. */
function warningsOf(options: LanguageModelV3CallOptions): SharedV3Warning[] {
  const unsupported = {
    stopSequences: options.stopSequences,
    presencePenalty: options.presencePenalty,
    frequencyPenalty: options.frequencyPenalty,
    seed: options.seed,
    tools: options.tools?.length ? options.tools : undefined,
    responseFormat: options.responseFormat?.type === 'json' ? options.responseFormat : undefined,
  };
  return Object.entries(unsupported)
    .filter(([, value]) => value !== undefined)
    .map(([feature]) => ({ type: 'unsupported', feature }));
}
