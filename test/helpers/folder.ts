import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A new folder for one test, below the run's folder (removed with it). Anyone may enter: as root, PostgreSQL runs under
 * another account, which must get in.
 */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(process.env['PADDOCK_TEST_RUN'] ?? tmpdir(), `${name}-`));
  chmodSync(folder, 0o755);
  return folder;
}
