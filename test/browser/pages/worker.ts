// The worker's script: one request in, one reply out.

import { type Request, select } from './select.js';

self.onmessage = ({ data }: MessageEvent<Request>) => {
  select(data).then(
    (reply) => self.postMessage({ reply }),
    (error: unknown) => self.postMessage({ problem: String((error as Error).stack ?? error) }),
  );
};
