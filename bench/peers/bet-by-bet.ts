/**
 * A plain Socket.IO server that stores each bet in a transaction of its own, as such games are usually first written: wallet and
 * stake on a durable embedded PostgreSQL, no ledger, no receipts, no phases. A process of its own; prints its port.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { createPool } from '../../db/postgres/connect.ts';
import { startEmbedded } from '../../db/postgres/embedded/supervisor.ts';
import { temporaryFolder } from '../../test/helpers/folder.ts';

const log = { info: () => {}, warn: () => {}, error: () => {} };
const postgres = await startEmbedded({ dataDir: temporaryFolder('peer'), log });
const pool = createPool(postgres.connection, { applicationName: 'peer', max: 10 }, () => {});
await pool.query('create table wallet (player text primary key, points bigint not null check (points >= 0))');
await pool.query(
  'create table stake (command text primary key, player text not null, race text not null, horse integer not null, points bigint not null)',
);

async function place(player: string, bet: { commandId: string; raceId: string; selection: number[]; stake: string }) {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const { rows } = await client.query<{ points: bigint }>(
      'update wallet set points = points - $2 where player = $1 returning points',
      [player, bet.stake],
    );
    await client.query('insert into stake values ($1, $2, $3, $4, $5)', [
      bet.commandId,
      player,
      bet.raceId,
      bet.selection[0],
      bet.stake,
    ]);
    await client.query('commit');
    return { ok: true, data: { betId: bet.commandId, balance: String(rows[0]?.points) } };
  } catch (error) {
    await client.query('rollback');
    return { ok: false, code: String(error) };
  } finally {
    client.release();
  }
}

const http = createServer();
const io = new Server(http, { transports: ['websocket'] });
io.on('connection', async (socket) => {
  socket.on('room:join', async (_payload, ack) => {
    await pool.query('insert into wallet values ($1, 1000000000) on conflict do nothing', [socket.id]);
    ack({ ok: true, data: {} });
  });
  socket.on('bet:place', async (payload, ack) => ack(await place(socket.id, payload)));
});
http.listen(0, '127.0.0.1', () => process.send?.((http.address() as AddressInfo).port));
process.on('SIGTERM', async () => {
  await pool.end();
  await postgres.stop();
  process.exit();
});
