import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import type { Folders } from './folders.ts';

/** All that is decided before an embedded server is started. `durable: false` is for tests alone. */
export type Place = { folders: Folders; binaries: Binaries; account: Account | undefined; durable: boolean };
