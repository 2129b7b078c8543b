import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { ConfigError } from './config/config-error.ts';
import { loadSettings, type Settings } from './config/env.ts';
import { loadSecrets, type Secrets } from './config/secrets.ts';
import { MemoryRoomStore } from './db/memory/store.ts';
import { createAudit } from './db/postgres/audit.ts';
import { createPool } from './db/postgres/connect.ts';
import { placeDataDir } from './db/postgres/embedded/data-dir.ts';
import { type InstanceLock, takeInstanceLock } from './db/postgres/instance-lock.ts';
import { migrate } from './db/postgres/migrate.ts';
import { openDatabase } from './db/postgres/open.ts';
import { createRecords, type Records } from './db/postgres/records.ts';
import { createHttpApp } from './http/app.ts';
import { assertFree, createHttpServer, listen } from './http/listen.ts';
import type { LedgerAudit } from './lib/ports.ts';
import { pageAddresses } from './lib/run/addresses.ts';
import { startAudit } from './lib/run/audit.ts';
import { createGame } from './lib/run/game.ts';
import { watchLedger } from './lib/run/ledger-watch.ts';
import { createLifecycle, type Lifecycle } from './lib/run/lifecycle.ts';
import { createMetrics } from './lib/run/metrics.ts';
import { createReadiness } from './lib/run/readiness.ts';
import { createServerTime, type ServerTime } from './lib/run/server-time.ts';
import { createDelivery } from './socket/delivery.ts';
import { FrameSender } from './socket/frames.ts';
import { closeConnections, createIo, openGateway } from './socket/gateway.ts';
import { createHandlers } from './socket/handlers.ts';
import { createAddressOf } from './socket/identify.ts';
import { createLimits } from './socket/limits.ts';
import { createPush } from './socket/push.ts';
import { createRoute } from './socket/route.ts';

const HARD_LIMIT_MS = 30_000;
const LEDGER_CONNECTIONS = 4;
const COMPILED = !import.meta.url.endsWith('.ts');
const PAGE_FOLDER = fileURLToPath(new URL(COMPILED ? './public' : './dist/public', import.meta.url));
const PACKAGE_FILE = new URL(COMPILED ? '../package.json' : './package.json', import.meta.url);

type Base = {
  readonly settings: Settings;
  readonly secrets: Secrets;
  readonly log: pino.Logger;
  readonly lifecycle: Lifecycle;
  readonly lock: InstanceLock;
  readonly records: Records;
  readonly ledgerAudit: LedgerAudit;
  readonly time: ServerTime;
};

/** From settings to a PostgreSQL with this version's schema and a known server time: what everything else stands on. */
async function openBase(settings: Settings, log: pino.Logger, lifecycle: Lifecycle): Promise<Base> {
  if (settings.port !== 0) await assertFree(settings.host, settings.port);
  const dataDir = placeDataDir(settings);
  const secrets = loadSecrets(settings, dataDir);
  const { target, close } = await openDatabase(settings, dataDir, log);
  lifecycle.onStop('database', 8_000, close);
  const lock = await takeInstanceLock(target, log);
  lifecycle.onStop('instance lock', 2_000, lock.close);
  await migrate(target, log);
  const onIdleError = (error: Error) => log.warn({ reason: error.message }, 'postgres.idle_connection_failed');
  const pool = createPool(target, { applicationName: 'paddock' }, onIdleError);
  const ledgerPool = createPool(target, { applicationName: 'paddock-ledger', max: LEDGER_CONNECTIONS }, onIdleError);
  lifecycle.onStop('connections to the database', 3_000, () => Promise.all([pool.end(), ledgerPool.end()]));
  const records = createRecords({ ...settings, seedWrapKey: secrets.seedWrapKey, pool, ledgerPool });
  const time = createServerTime({ ask: records.now, log });
  lifecycle.onStop('server time', 100, time.close);
  await time.sync();
  return { settings, secrets, log, lifecycle, lock, records, ledgerAudit: createAudit(target), time };
}

/** The game and its edges on that base. Whatever is opened says how it is closed; that happens in reverse order. */
async function openServer(base: Base): Promise<void> {
  const { settings, secrets, log, lifecycle, lock, records, time } = base;
  const { limits, publicUrl } = settings;
  const metrics = createMetrics();
  const http = createHttpServer();
  const io = createIo(http, limits, metrics.delivery.readerCut);
  lifecycle.onStop('sockets', 3_000, () => io.close());
  lifecycle.onStop('connections', 5_000, () => closeConnections(io));
  const book = createPush(io);
  const { push } = book;
  const buckets = createLimits(limits);
  const ledger = watchLedger({
    ask: records.now,
    log,
    onChange: (away) => io.local.emit('server:notice', { kind: away ? 'degraded' : 'restored', ledger: true }),
  });
  lifecycle.onStop('ledger watch', 100, ledger.close);
  const readiness = createReadiness({
    database: () => !ledger.away(),
    'server-time': time.ready,
    'instance-lock': lock.held,
  });
  let lookSoon = (): void => {};
  const degraded = () => (ledger.away() ? ({ ledger: true } as const) : {});

  const game = createGame({
    records,
    store: new MemoryRoomStore({ clock: time, log, unarchivedEntries: limits.unarchivedEntries }),
    edge: {
      push,
      connections: book,
      openSeats(feeds) {
        const delivery = createDelivery({ io, feeds, metrics: metrics.delivery });
        lifecycle.onStop('delivery', 500, () => {
          delivery.flushAll();
          delivery.close();
        });
        return delivery.seats;
      },
      openFrames(parts) {
        const frames = new FrameSender({ ...parts, push, clock: time, log });
        lifecycle.onStop('frames', 100, () => frames.close());
        metrics.gauge('races_showing', 'Races whose frames are being sent', () => frames.showing);
        return frames;
      },
    },
    clock: time,
    log,
    lifecycle,
    metrics,
    settings,
    secrets,
    passwordGuard: buckets.passwords,
    degraded,
    instanceId: randomUUID(),
    mayArchive: lock.held,
    onRaceStuck: () => lookSoon(),
    random: { bytes: randomBytes, below: (n) => randomInt(n) },
  });
  await game.start();

  const route = createRoute({
    handlers: createHandlers({ ...game, clock: time }),
    limits,
    buckets,
    metrics: metrics.route,
    log,
  });
  let network = '';
  const gateway = openGateway(io, {
    settings: { ...settings, version: versionOf(PACKAGE_FILE) },
    sessions: game.sessions,
    rooms: game.rooms,
    lobby: game.lobby,
    book,
    route,
    buckets,
    clock: time,
    log,
    metrics: metrics.gateway,
    networkBase: () => network,
    degraded,
  });
  const app = createHttpApp({
    pageFolder: PAGE_FOLDER,
    publicUrl,
    metricsToken: settings.metricsToken,
    metrics: metrics.registry,
    health: readiness,
    records: {
      race: game.record,
      keys: async () => ({ seedKeys: await game.seedKeys(), receiptKeys: [] }),
    },
    share: {
      publicUrl,
      preview: game.preview,
      addressOf: createAddressOf(settings.trustedProxies),
      guesses: buckets.guesses,
    },
    log,
  });
  http.on('request', app);
  lifecycle.onStop('requests in flight', limits.requestDeadlineMs + 500, route.idle);
  lifecycle.onStop('new connections', 500, () => {
    readiness.drain();
    http.close();
    route.drain();
    gateway.drain();
  });

  const port = await listen(http, settings.host, settings.port);
  const addresses = pageAddresses(settings.host, port, publicUrl);
  network = addresses.network ?? addresses.local;
  tellAddresses(log, port, addresses);
  const audit = startAudit({ ledger: base.ledgerAudit, freezing: records.freezing, log });
  lookSoon = audit.soon;
  lifecycle.onStop('audit', 100, audit.close);
  metrics.gauges(
    'audit_broken',
    'Rows that break an invariant, at the last completed audit',
    'invariant',
    audit.broken,
  );
  metrics.gauges(
    'frozen',
    'Races and wallets that were frozen after the last completed audit',
    'subject',
    audit.standing,
  );
  metrics.gauge('audit_seconds', 'How long the last completed audit took', audit.tookSeconds);
  metrics.gauge(
    'audit_completed_seconds',
    'When the last completed audit ended, in seconds since 1970; 0: none yet',
    audit.completedAt,
  );
}

function versionOf(file: URL): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { readonly version: string }).version;
}

function tellAddresses(log: pino.Logger, port: number, { local, network }: ReturnType<typeof pageAddresses>): void {
  log.info({ port, local, network }, 'server.listening');
  if (!process.stdout.isTTY) return;
  process.stdout.write(`\n  Paddock  ${local}\n${network === undefined ? '' : `  network  ${network}\n`}\n`);
}

async function main(): Promise<void> {
  const settings = loadSettings();
  const log = pino({ level: settings.logLevel, base: null });
  const lifecycle = createLifecycle({ log, hardLimitMs: HARD_LIMIT_MS });
  await lifecycle.start(async () => openServer(await openBase(settings, log, lifecycle)));
}

main().catch((error: unknown) => {
  const told = error instanceof ConfigError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`${told}\n`);
  process.exit(1);
});
