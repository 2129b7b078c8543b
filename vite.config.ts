import preact from '@preact/preset-vite';
import { defineConfig } from 'vite';

/** The page: built into dist/public with hashed names; the server serves nothing else. */
export default defineConfig({
  root: 'public',
  publicDir: 'static',
  base: '/',
  plugins: [preact({ devToolsEnabled: false, prefreshEnabled: false, reactAliasesEnabled: false })],
  build: {
    outDir: '../dist/public',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: { proxy: { '/socket.io': { target: 'http://127.0.0.1:3000', ws: true }, '/api': 'http://127.0.0.1:3000' } },
});
