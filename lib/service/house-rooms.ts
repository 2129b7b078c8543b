import type { RoomId } from '../core/ids.ts';
import { DEFAULT_SETTINGS } from '../core/room-settings.ts';
import type { RoomRecords, ServerClock } from '../ports.ts';
import { newRoomCode, type RoomSecrets } from './room-secrets.ts';

export type HouseRoomsDeps = {
  readonly records: Pick<RoomRecords, 'create' | 'get' | 'living' | 'close'>;
  readonly clock: ServerClock;
  readonly secrets: RoomSecrets;
};

/** A house room outlives every lifetime setting. */
const FOR_EVER_MS = 100 * 365 * 86_400_000;
const NAMES = [
  '새벽 경마장 · Dawn Track',
  '한낮 경마장 · Noon Track',
  '노을 경마장 · Dusk Track',
  '달빛 경마장 · Moonlight Track',
];
const CODE_TRIES = 5;

/**
 * Rooms without a host that run by themselves while somebody is there, so that a new server's lobby is not dead. The same
 * numbers are the same rooms after a restart and on every instance, as long as the secret is the same; living ones that are
 * not wanted any more (fewer are, or the secret is another one) are closed.
 */
export async function ensureHouseRooms(count: number, deps: HouseRoomsDeps): Promise<readonly RoomId[]> {
  const { records } = deps;
  const ids: RoomId[] = [];
  for (let number = 1; number <= count; number++) ids.push(await ensureRoom(number, deps));
  for (const roomId of await records.living('house')) if (!ids.includes(roomId)) await records.close(roomId, 'closed');
  return ids;
}

/** A room that was closed when fewer were wanted stays closed; the next of its number takes its place. */
async function ensureRoom(number: number, deps: HouseRoomsDeps): Promise<RoomId> {
  for (let life = 1; ; life++) {
    const id = deps.secrets.houseRoomId(number, life);
    const row = await deps.records.get(id);
    if (row === null) await makeRoom(id, number, deps);
    if (row === null || row.closedAt === null) return id;
  }
}

async function makeRoom(id: RoomId, number: number, { records, clock }: HouseRoomsDeps): Promise<void> {
  const now = clock.now();
  for (let tries = 0; tries < CODE_TRIES; tries++) {
    const made = await records.create({
      id,
      code: newRoomCode(),
      kind: 'bet',
      house: true,
      locale: 'ko',
      name: NAMES[(number - 1) % NAMES.length] ?? '경마장',
      passwordHash: null,
      settings: { ...DEFAULT_SETTINGS.bet, mode: 'auto', capacity: 500 },
      hostId: null,
      createdBy: null,
      createdAt: now,
      expiresAt: now + FOR_EVER_MS,
    });
    if (made.kind !== 'code-taken') return;
  }
}
