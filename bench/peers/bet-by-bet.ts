/**
 * A Socket.IO server that stores each bet in a transaction of its own, as such games are usually first written: the rows of a
 * full ledger (command, bet, transfer, counter, wallet, escrow) on a durable embedded PostgreSQL, but no receipts, phases or
 * audit. A process of its own; tells its parent the port.
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
await pool.query(`
  create table wallet (player text primary key, points bigint not null check (points >= 0));
  create table escrow (race text primary key, points bigint not null);
  create table command (player text, id text, balance bigint not null, primary key (player, id));
  create table bet (id text primary key, race text not null, player text not null, horse integer not null, points bigint not null);
  create index bet_by_race on bet (race, player);
  create table transfer (id bigint generated always as identity primary key, bet text unique, player text not null, race text not null, points bigint not null);
  create table race_stake (race text, player text, points bigint not null check (points <= 1000000000), primary key (race, player))`);

async function place(player: string, bet: { commandId: string; raceId: string; selection: number[]; stake: string }) {
  const client = await pool.connect();
  const { commandId: id, raceId: race, stake } = bet;
  try {
    await client.query('begin');
    const spend = 'update wallet set points = points - $2 where player = $1 returning points';
    const { rows } = await client.query<{ points: bigint }>({ name: 'spend', text: spend, values: [player, stake] });
    const balance = String(rows[0]?.points);
    const write = (name: string, text: string, values: unknown[]) => client.query({ name, text, values });
    await write('command', 'insert into command values ($1, $2, $3)', [player, id, balance]);
    await write('bet', 'insert into bet values ($1, $2, $3, $4, $5)', [id, race, player, bet.selection[0], stake]);
    await write('transfer', 'insert into transfer (bet, player, race, points) values ($1, $2, $3, $4)', [
      id,
      player,
      race,
      stake,
    ]);
    const count =
      'insert into race_stake values ($1, $2, $3) on conflict (race, player) do update set points = race_stake.points + excluded.points';
    await write('count', count, [race, player, stake]);
    await write('escrow', 'update escrow set points = points + $2 where race = $1', [race, stake]);
    await client.query('commit');
    return { ok: true, data: { betId: id, balance } };
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
  socket.on('room:join', async ({ roomId }, ack) => {
    await pool.query('insert into wallet values ($1, 1000000000) on conflict do nothing', [socket.id]);
    await pool.query('insert into escrow values ($1, 0) on conflict do nothing', [roomId]);
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
