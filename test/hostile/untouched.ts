import { expect } from 'vitest';
import type { TestServer } from '../helpers/server.ts';
import type { Player, Scene } from './scene.ts';

/** What an honest room is to its people, but for whether the attacker who is a member is in it now. */
async function stateOf(scene: Scene, { client }: Player): Promise<unknown> {
  const synced = await client.request('room:sync', { roomId: client.room?.id, epoch: 'none', seq: 0 } as never);
  if (synced.recovered) throw new Error('there is no such epoch');
  const { name, code, settings, settingsVersion, hasPassword, hostId, expiresAt, members: people } = synced.room;
  const ids = people.map(({ id }) => id).filter((id) => id !== scene.attackers[0]?.client.id);
  return { name, code, settings, settingsVersion, hasPassword, hostId, expiresAt, ids: ids.sort() };
}
export const honestRooms = async (scene: Scene): Promise<readonly unknown[]> => [
  await stateOf(scene, scene.host),
  await stateOf(scene, scene.chooser),
];

/** Nothing of the honest was touched: people, host, settings, talk, points, picks; nor did they lose a connection. */
export async function expectUntouched(scene: Scene, server: TestServer, before: readonly unknown[]): Promise<void> {
  expect(await honestRooms(scene)).toEqual(before);
  const { host, bettor, chooser, second, attackers } = scene;
  const inside = attackers[0]?.client.id ?? '';
  const rooms = [
    { seen: host.client, people: [host.client.id, bettor.client.id], coming: [] as string[] },
    { seen: chooser.client, people: [chooser.client.id, second.client.id, inside], coming: [inside] },
  ];
  for (const { seen, people, coming } of rooms) {
    for (const event of seen.room?.events ?? []) {
      if (event.type === 'chat') expect(people).toContain(event.message.playerId);
      if (event.type === 'reaction') expect(people).toContain(event.playerId);
      if (event.type === 'member joined') expect(people).toContain(event.member.id);
      if (event.type === 'member left') expect(coming).toContain(event.playerId);
      if (event.type === 'pick made') expect(people).toContain(event.playerId);
      expect(['settings changed', 'room closed']).not.toContain(event.type);
    }
  }
  for (const raceId of scene.betWorld().raceIds) {
    const { totals } = await host.client.request('race:get', { raceId } as never);
    const gross = Object.values(totals).reduce((sum, pool) => sum + BigInt(pool?.gross ?? '0'), 0n);
    expect(gross, 'only the people of the room have bet').toBe(scene.staked.get(raceId) ?? 0n);
  }
  for (const { client } of [host, bettor, chooser, second]) expect(client.lefts).toEqual([]);
  // The connection of one was cut by the test itself.
  expect([host, bettor, chooser, second].map(({ client }) => client.readies)).toEqual([1, 1, 1, 2]);
  expect(server.lines().filter((line) => line.level >= 50)).toEqual([]);
}
