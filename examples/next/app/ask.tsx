'use client';

import { type FormEvent, useEffect, useRef, useState } from 'react';
import type { ToPage, ToWorker } from './messages';

/** The embedded model. `?model=HuggingFaceTB/SmolVLM2-256M-Video-Instruct` takes one of the hub instead. */
const EMBEDDED = '/tiny-vlm/model';

export function Ask() {
  const worker = useRef<Worker>(null);
  const [status, setStatus] = useState('Loading the model…');
  const [isReady, setIsReady] = useState(false);
  const [answer, setAnswer] = useState('');
  const [indices, setIndices] = useState<readonly number[]>([]);
  const [image, setImage] = useState<Blob>();

  useEffect(() => {
    const own = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.current = own;
    own.onmessage = ({ data }: MessageEvent<ToPage>) => {
      if (data.type === 'ready') {
        setStatus(`${data.family} is ready.`);
        setIsReady(true);
      }
      if (data.type === 'piece') setAnswer((text) => text + data.text);
      if (data.type === 'answer') {
        setAnswer(data.text);
        setStatus(`${data.usage.keptTokens} of ${data.usage.visionTokens} vision tokens`);
        setIndices(data.report.images[0]?.indices ?? []);
      }
      if (data.type === 'failed') setStatus(data.message);
    };
    own.onerror = ({ message }) => setStatus(`The worker failed: ${message}`);
    const model = new URLSearchParams(location.search).get('model') ?? EMBEDDED;
    own.postMessage({ type: 'load', model, assets: location.origin } satisfies ToWorker);
    fetch('/tiny-vlm/samples/0.png')
      .then((response) => response.blob())
      .then(setImage, () => setStatus('The sample image is missing.'));
    return () => own.terminate();
  }, []);

  function ask(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (image === undefined) return;
    const form = new FormData(event.currentTarget);
    setAnswer('');
    worker.current?.postMessage({
      type: 'ask',
      image,
      question: String(form.get('question')),
      keep: Number(form.get('keep')),
    } satisfies ToWorker);
  }

  return (
    <form onSubmit={ask} data-indices={JSON.stringify(indices)}>
      <p role="status">{status}</p>
      <label>
        Image
        <input type="file" accept="image/*" onChange={({ target }) => setImage(target.files?.[0])} />
      </label>
      <label>
        Question
        <input name="question" defaultValue="What shape is the purple object?" required />
      </label>
      <label>
        Share of vision tokens to keep
        <input name="keep" type="number" min={0.01} max={0.99} step={0.01} defaultValue={0.1} />
      </label>
      <button type="submit" disabled={!isReady || image === undefined}>
        Ask
      </button>
      <output>{answer}</output>
    </form>
  );
}
