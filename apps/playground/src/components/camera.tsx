// A dialog that takes a photo with the camera.

import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { showOwnImage } from '../state/page.js';

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** Asks for the camera when it opens, and releases it when it closes. */
export function Camera({ onClose }: { onClose: () => void }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const problem = useSignal<string | undefined>(undefined);
  const isReady = useSignal(false);
  useEffect(() => {
    dialog.current?.showModal();
    let stream: MediaStream | undefined;
    let isClosed = false;
    const open = async (): Promise<void> => {
      if (navigator.mediaDevices === undefined)
        throw new Error('Cameras work only on pages served over HTTPS.');
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
      if (isClosed) stop(stream);
      else if (video.current !== null) {
        video.current.srcObject = stream;
        await video.current.play();
        isReady.value = true;
      }
    };
    open().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      problem.value = `The camera cannot be used. ${reason}`;
    });
    return () => {
      isClosed = true;
      stop(stream);
    };
  }, [isReady, problem]);

  const take = async (): Promise<void> => {
    const source = video.current;
    if (source === null) return;
    const canvas = new OffscreenCanvas(source.videoWidth, source.videoHeight);
    canvas.getContext('2d')?.drawImage(source, 0, 0);
    const blob = await canvas.convertToBlob({ type: 'image/png' });
    onClose();
    await showOwnImage(blob, 'Camera image');
  };
  return (
    <dialog ref={dialog} class="camera" aria-label="Camera" onClose={onClose}>
      {problem.value === undefined ? (
        <video ref={video} muted playsInline />
      ) : (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="dialog-actions">
        <button type="button" onClick={onClose}>
          Close
        </button>
        <button type="button" class="primary" disabled={!isReady.value} onClick={() => void take()}>
          Take the photo
        </button>
      </div>
    </dialog>
  );
}
