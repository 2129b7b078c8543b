import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPostmaster } from '../../db/postgres/embedded/pid-file.ts';
import { stopServer } from '../../db/postgres/embedded/server-process.ts';

/**
 * Everything a run starts lives below one folder. At the end, what a killed worker left there is ended by its own
 * process id and removed; nothing else on the machine is looked at.
 */
export default function setup(): () => Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'paddock-run-'));
  // Anyone may write, as in the system's own temporary folder, which this one replaces for all that runs here.
  chmodSync(folder, 0o1777);
  process.env['TMPDIR'] = folder;
  process.env['PADDOCK_TEST_RUN'] = folder;
  return async () => {
    for (const entry of readdirSync(folder)) {
      const left = findPostmaster(join(folder, entry, 'postgres'));
      if (left) await stopServer(left.pid);
    }
    rmSync(folder, { recursive: true, force: true });
  };
}
