// Where the image comes from: samples, a file, the clipboard, the camera, or drag and drop.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { sampleKeys, sampleUrl } from '../state/examples.js';
import { imageProblem, showOwnImage, showSample } from '../state/page.js';
import { image, samplesFor } from '../state/store.js';
import { Camera } from './camera.js';

/** The strip of samples and the buttons beside it. */
export function ImageSource(): JSX.Element {
  const file = useRef<HTMLInputElement>(null);
  const isDragging = useSignal(false);
  const isCameraOpen = useSignal(false);
  useEffect(() => {
    const first = (items: DataTransfer | null): File | undefined =>
      [...(items?.files ?? [])].find(({ type }) => type.startsWith('image/'));
    const over = (event: DragEvent): void => {
      event.preventDefault();
      isDragging.value = true;
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) isDragging.value = false;
    };
    const drop = (event: DragEvent): void => {
      event.preventDefault();
      isDragging.value = false;
      const dropped = first(event.dataTransfer) ?? event.dataTransfer?.files[0];
      if (dropped !== undefined) void showOwnImage(dropped, dropped.name);
    };
    const paste = (event: ClipboardEvent): void => {
      const pasted = first(event.clipboardData);
      if (pasted !== undefined) void showOwnImage(pasted, 'Pasted image');
    };
    addEventListener('dragover', over);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    addEventListener('paste', paste);
    return () => {
      removeEventListener('dragover', over);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
      removeEventListener('paste', paste);
    };
  }, [isDragging]);
  return (
    <div class="source">
      <ul class="samples" aria-label="Sample images">
        {sampleKeys(samplesFor.value).map((key, at) => (
          <li key={key}>
            <button
              type="button"
              aria-pressed={image.value?.key === key}
              aria-label={`Sample ${at + 1}`}
              onClick={() => void showSample(key)}
            >
              <img src={sampleUrl(key)} alt="" width="56" height="56" />
            </button>
          </li>
        ))}
      </ul>
      <div class="own">
        <button type="button" onClick={() => file.current?.click()}>
          Open a file
        </button>
        <button
          type="button"
          onClick={() => {
            isCameraOpen.value = true;
          }}
        >
          Use the camera
        </button>
        <span>or drop or paste an image</span>
        <input
          ref={file}
          type="file"
          accept="image/*"
          hidden
          data-file
          onChange={(event) => {
            const chosen = event.currentTarget.files?.[0];
            if (chosen !== undefined) void showOwnImage(chosen, chosen.name);
            event.currentTarget.value = '';
          }}
        />
      </div>
      {imageProblem.value !== undefined && (
        <p class="problem" role="alert">
          {imageProblem.value}
        </p>
      )}
      {isDragging.value && (
        <div class="drop" aria-hidden="true">
          Drop the image anywhere
        </div>
      )}
      {isCameraOpen.value && (
        <Camera
          onClose={() => {
            isCameraOpen.value = false;
          }}
        />
      )}
    </div>
  );
}
