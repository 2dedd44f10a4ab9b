import type { NextConfig } from 'next';

const config: NextConfig = {
  // Pages with these headers may share memory between threads, so that WebAssembly can use several.
  headers: async () => [
    {
      source: '/:path*',
      headers: [
        { key: 'Cross-Origin-Opener-Policy', value: 'same-origin' },
        { key: 'Cross-Origin-Embedder-Policy', value: 'require-corp' },
      ],
    },
  ],
};

export default config;
