// How the sources become `dist`: one style sheet, a chunk for each view, the same bytes for the same sources.
import { defineConfig } from 'vite';

const api = process.env['RXTRAIL_URL'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    cssTarget: 'chrome123',
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // `npm run dev` asks a running rxtrail; RXTRAIL_URL says where it listens.
  server: { proxy: { '/v1': api, '/health': api, '/ready': api, '/metrics': api } },
});
