// What the blocks of packages/tfjs-backend/README.md assume.
declare const tf: import('@mmtok/tfjs-backend').Tfjs;
declare const vision: number[][];
declare const text: number[][];
