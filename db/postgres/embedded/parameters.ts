/**
 * How the embedded server runs. Given on the command line, so that they hold for a cluster of any age. Small, since the
 * machine is somebody's laptop, but with nothing taken from durability: fsync and synchronous_commit stay on.
 */
const PARAMETERS: Record<string, string> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '40',
  superuser_reserved_connections: '2',
  shared_buffers: '32MB',
  huge_pages: 'off',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  max_wal_size: '256MB',
  min_wal_size: '64MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Workers for I/O and parallel plans would each cost a process.
  io_method: 'sync',
  max_worker_processes: '2',
  max_parallel_workers_per_gather: '0',
  autovacuum_max_workers: '1',
  max_logical_replication_workers: '0',
  jit: 'off',
  fsync: 'on',
  synchronous_commit: 'on',
  default_transaction_isolation: 'read committed',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_min_messages: 'warning',
  // Statements may carry password hashes: never in the log, also not beside an error.
  log_min_error_statement: 'panic',
  log_statement: 'none',
  log_checkpoints: 'off',
  cluster_name: 'paddock',
};

/** For clusters of tests, which need not survive a power cut: a killed process loses nothing by it. */
const FORGETFUL: Record<string, string> = { fsync: 'off', full_page_writes: 'off' };

/** Arguments of `postgres` for a cluster and the folder of its socket. */
export function serverArguments(cluster: string, socket: string, durable: boolean): string[] {
  const all = { ...PARAMETERS, ...(durable ? {} : FORGETFUL), unix_socket_directories: quoteListItem(socket) };
  return ['-D', cluster, ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

/** The value is a list: a folder with a comma in its name must be quoted. */
function quoteListItem(path: string): string {
  return `"${path.replaceAll('"', '""')}"`;
}

/** Nothing of the caller's environment reaches PostgreSQL: PGDATA, PGPORT, LANG and the like would change what it does. */
export function serverEnvironment(): Record<string, string> {
  return { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };
}
