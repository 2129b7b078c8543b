// npm run dev: compiles and bundles on every change and restarts the server. The same dist/ as in production.
import './lib/node-version.js';
import { spawn } from 'node:child_process';

import('./lib/build.js').then(async ({ build }) => {
  await build({ checkTypes: false });
  const tool = (name) => `node_modules/.bin/${name}`;
  const children = [
    spawn(tool('tsc'), ['-p', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'], { stdio: 'inherit' }),
    spawn(tool('vite'), ['build', '--watch', '--outDir', `${process.cwd()}/dist/public`, '--logLevel', 'warn'], {
      stdio: 'inherit',
    }),
    spawn(process.execPath, ['--watch', '--enable-source-maps', 'dist/server.js'], { stdio: 'inherit' }),
  ];
  // Ctrl-C reaches them by itself; SIGTERM is passed on, and we end after the last of them.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => {
    for (const child of children) child.kill('SIGTERM');
  });
});
