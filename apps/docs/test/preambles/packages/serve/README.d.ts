// What the blocks of packages/serve/README.md assume.
declare const apiKey: string;
declare const data: Float32Array;
