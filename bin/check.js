// npm run check: everything that can be judged without running the tests. Exits with the number of failed steps.
import './lib/node-version.js';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

const { root } = await import('./lib/freshness.js');

const tool = (name, ...args) => [join(root, 'node_modules', '.bin', name), ...args];
const script = (...args) => [process.execPath, ...args];

const steps = [
  ['format', tool('biome', 'ci', '--colors=off', '.')],
  ['lint', tool('eslint', '.', '--max-warnings', '0')],
  ['types', tool('tsc', '--noEmit', '-p', '.')],
  ['types of the page', tool('tsc', '--noEmit', '-p', 'public')],
  [
    'import directions',
    tool(
      'depcruise',
      '--config',
      '.dependency-cruiser.cjs',
      'server.ts',
      'config',
      'lib',
      'socket',
      'http',
      'db',
      'cmd',
      'public',
    ),
  ],
  ['unused code', tool('knip')],
  ['schema snapshot', tool('tsx', 'bin/schema.ts', '--check')],
  ['generated documentation', tool('tsx', 'bin/docs.ts', '--check')],
  ['build', script('bin/build.js')],
];

const AT_ONCE = 2;

function run([name, [command, ...args]]) {
  const began = performance.now();
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.on('error', (error) => (output += error.message));
    child.on('close', (code) => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
      if (code !== 0) console.log(output.trimEnd().replace(/^/gm, '    '));
      resolve(code === 0 ? undefined : name);
    });
  });
}

const wanted = process.argv.slice(2);
const queue = steps.filter(([name]) => wanted.length === 0 || wanted.includes(name));
const failed = [];
const worker = async () => {
  for (let step = queue.shift(); step; step = queue.shift()) {
    const name = await run(step);
    if (name) failed.push(name);
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
console.log(failed.length === 0 ? 'all checks passed' : `failed: ${failed.join(', ')}`);
process.exitCode = failed.length;
