import type { NextConfig } from 'next';

const config: NextConfig = {
  // Isolated pages may share memory between threads, which makes WebAssembly several times faster.
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
