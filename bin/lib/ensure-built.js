import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from './build.js';
import { isFresh } from './freshness.js';

/** Builds when dist/ is missing or older than its sources; in production says so instead, and ends the process. */
export async function ensureBuilt() {
  if (isFresh()) return;
  if (isProduction()) {
    console.error('dist/ is missing or older than its sources. Build it before the start: npm run build');
    process.exit(1);
  }
  console.log('building what is missing or older than its sources …');
  try {
    await build({ checkTypes: false });
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}

/** As config/env.ts will see it: the environment first, then the .env file. */
function isProduction() {
  if (process.env.NODE_ENV) return process.env.NODE_ENV === 'production';
  const file = resolve('.env');
  return existsSync(file) && /^\s*(export\s+)?NODE_ENV\s*=\s*["']?production\b/m.test(readFileSync(file, 'utf8'));
}
