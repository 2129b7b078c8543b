import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { dist, root, stampFile, stampOf } from './freshness.js';

/**
 * Makes dist/ whole, aside, and puts it in place at the end: a build that fails or is interrupted leaves the old one.
 * `checkTypes: false` leaves out the type check, which `npm run check` and `npm run build` have.
 */
export async function build({ checkTypes }) {
  const began = performance.now();
  const stamp = stampOf();
  // Below dist/, so that it is on the same disk and every tool leaves it alone.
  const draft = join(dist, `.draft-${process.pid}`);
  const [next, old] = [`${dist}.next`, `${dist}.old`];
  mkdirSync(draft, { recursive: true });
  try {
    const compile = ['-p', 'tsconfig.build.json', '--outDir', draft, ...(checkTypes ? [] : ['--noCheck'])];
    const steps = [run('tsc', compile)];
    if (existsSync(join(root, 'vite.config.ts'))) {
      steps.push(run('vite', ['build', '--outDir', join(draft, 'public'), '--emptyOutDir', '--logLevel', 'warn']));
    }
    // All have ended before the draft is looked at or removed.
    const failed = (await Promise.allSettled(steps)).find((step) => step.status === 'rejected');
    if (failed) throw failed.reason;
    copyData(draft);
    writeFileSync(join(draft, stampFile), JSON.stringify(stamp));
    for (const left of [next, old]) rmSync(left, { recursive: true, force: true });
    renameSync(draft, next);
    renameSync(dist, old);
    renameSync(next, dist);
    rmSync(old, { recursive: true, force: true });
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  console.log(`built in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** What the compiled code reads beside itself and the compiler does not copy. */
function copyData(draft) {
  for (const folder of ['migrations', 'db', 'lib']) {
    const from = join(root, folder);
    if (!existsSync(from)) continue;
    for (const file of readdirSync(from, { recursive: true })) {
      if (!/\.(sql|lua)$/.test(file)) continue;
      mkdirSync(dirname(join(draft, folder, file)), { recursive: true });
      cpSync(join(from, file), join(draft, folder, file));
    }
  }
}

function run(tool, args) {
  const path = join(root, 'node_modules', '.bin', tool);
  if (!existsSync(path)) {
    throw new Error(`The build needs ${tool}, which is not installed. Run: npm ci --include=dev`);
  }
  return new Promise((resolve, reject) => {
    const child = spawn(path, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${tool} failed (${signal || code})`)),
    );
  });
}
