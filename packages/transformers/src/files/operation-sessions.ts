// The sessions that transformers.js opens for tensor operations of its own, such as resizing and slicing images.

import type { Library, SessionLike } from '../internal/types.js';

/** The class of a session, which opens further sessions on the same runtime. */
interface SessionClass {
  create(source: unknown, options?: Readonly<Record<string, unknown>>): Promise<SessionLike>;
}

/** Copies of ONNX Runtime whose sessions are already open. */
const opened = new WeakMap<object, Promise<void>>();

/**
 * Opens these sessions with `options`. transformers.js opens each one on first use, with ONNX Runtime's defaults, and does not let
 * callers choose the options, so they are added while the operations run for the first time. Sessions that are already open stay as
 * they are.
 * @param session any session of the library, for its class.
 */
export async function openOperationSessions(
  library: Library,
  session: SessionLike | undefined,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const Session = session?.constructor as unknown as SessionClass | undefined;
  if (Session === undefined) return;
  const known = opened.get(Session);
  if (known !== undefined) return await known;
  const opening = openWith(library, Session, options);
  opened.set(Session, opening);
  await opening;
}

async function openWith(
  { Tensor, interpolate_4d, slice }: Library,
  Session: SessionClass,
  options: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { create } = Session;
  Session.create = (source, given) => create.call(Session, source, { ...options, ...given });
  try {
    const pixels = new Tensor('float32', new Float32Array(4), [1, 1, 2, 2]);
    await interpolate_4d(pixels, { size: [1, 1] });
    await slice(pixels, [0, 0], [1, 1], [2, 3]);
  } catch {
    // The operations fail again, and report why, when an image needs them.
  } finally {
    Session.create = create;
  }
}
