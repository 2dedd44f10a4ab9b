// Frees large arrays without waiting for the garbage collector.

/** Smaller arrays are left to the garbage collector. */
const LARGE_BYTES = 2 ** 18;

let closedPort: InstanceType<typeof MessageChannel>['port1'] | undefined;

/**
 * Frees the memory of an array that nobody else uses, if it is large. The array is empty afterwards. onnxruntime-node returns a copy of
 * what it has written into given memory; left to the garbage collector, the copies of a few matrices make it run in the middle of
 * selections.
 */
export function freeNow({ buffer, byteLength }: Float32Array): void {
  if (byteLength < LARGE_BYTES || !(buffer instanceof ArrayBuffer) || buffer.byteLength !== byteLength)
    return;
  if (closedPort === undefined) {
    // What is transferred to a closed port is not only detached, but freed.
    closedPort = new MessageChannel().port1;
    closedPort.close();
  }
  closedPort.postMessage(null, [buffer]);
}
