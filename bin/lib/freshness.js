import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(fileURLToPath(new URL('../..', import.meta.url)));
export const dist = join(root, 'dist');
export const stampFile = '.sources.json';

const SOURCES = [
  'server.ts',
  'config',
  'lib',
  'socket',
  'http',
  'db',
  'cmd',
  'migrations',
  'public',
  'bin/lib/build.js',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vite.config.ts',
];

/** What dist/ was, or would be, made from: `times` is quick to compare, `contents` is what counts. */
export function stampOf() {
  const files = sourceFiles();
  return { times: hashOf(files, timeOf), contents: hashOf(files, contentOf) };
}

/**
 * True when dist/ is there and made from the sources as they are. Times alone settle it (a few ms); where they differ
 * (a copy, a checkout) the contents do.
 */
export function isFresh() {
  const path = join(dist, stampFile);
  if (!existsSync(path)) return false;
  const built = JSON.parse(readFileSync(path, 'utf8'));
  const files = sourceFiles();
  const times = hashOf(files, timeOf);
  if (built.times === times) return true;
  if (built.contents !== hashOf(files, contentOf)) return false;
  try {
    writeFileSync(path, JSON.stringify({ ...built, times }));
  } catch {
    // Read-only: the next start compares the contents again.
  }
  return true;
}

function sourceFiles() {
  const files = [];
  const visit = (path) => {
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    if (!stat) return;
    if (!stat.isDirectory()) files.push({ path, stat });
    else for (const name of readdirSync(join(root, path)).sort()) visit(`${path}/${name}`);
  };
  for (const source of SOURCES) visit(source);
  return files;
}

function hashOf(files, describe) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(describe(file));
  return hash.digest('hex');
}

const timeOf = ({ path, stat }) => `${path}\n${stat.size}\n${stat.mtimeMs}\n`;

const contentOf = ({ path, stat }) => `${path}\n${stat.size}\n${readFileSync(join(root, path), 'latin1')}`;
