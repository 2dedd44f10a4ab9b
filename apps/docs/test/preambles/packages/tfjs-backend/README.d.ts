// What the blocks of packages/tfjs-backend/README.md assume.
declare const tf: typeof import('@tensorflow/tfjs');
declare const vision: number[][];
declare const text: number[][];
