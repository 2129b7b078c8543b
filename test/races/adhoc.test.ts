import { expect, it } from 'vitest';
import { createArena } from './arena.ts';
import { SimulationPool } from '../../lib/run/simulation-pool.ts';
it('adhoc', async () => {
  const errors: any[] = [];
  const pool = new SimulationPool({ log: { warn: () => {}, error: () => {}, info: () => {}, debug: () => {} } });
  await pool.warm();
  const arena = await createArena({ timeScale: 20, simulations: pool });
  const a = await arena.instance();
  const b = await arena.instance();
  const rooms = await Promise.all(Array.from({ length: 60 }, (_, i) => arena.room(i % 2 ? 'pick' : 'bet', { mode: 'auto', openSeconds: 20, track: 'short' }, null)));
  for (const [i, room] of rooms.entries()) {
    await (i % 3 ? a : b).join(room, `x${i}`);
    await (i % 3 ? b : a).join(room, `y${i}`);
  }
  const betting = setInterval(() => {
    for (const [i, room] of rooms.entries()) {
      const race = a.view(room);
      if (race?.phase !== 'open') continue;
      if (i % 2 === 0) for (const who of ['x', 'y']) (who === 'x' ? a : b).bet(race.id, `${who}${i}`, 1 + Math.floor(Math.random() * 8), 100).catch((e) => errors.push(e.refusal?.code ?? e));
      else for (const who of ['x', 'y']) if (Math.random() < 0.3) (who === 'x' ? a : b).pick(race.id, `${who}${i}`, 'random').catch((e) => errors.push(e.refusal?.code ?? e));
    }
  }, 200);
  await new Promise((r) => setTimeout(r, 20_000));
  clearInterval(betting);
  let settled = 0, voids = 0, late: number[] = [], lateRun: number[] = [], lateSettle: number[] = [];
  for (const room of rooms) {
    const ev = a.eventsOf(room).filter(({ type }) => type.startsWith('race '));
    const evb = b.eventsOf(room).filter(({ type }) => type.startsWith('race '));
    const n = Math.min(ev.length, evb.length);
    expect(ev.slice(0, n).map((e) => e.seq)).toEqual(evb.slice(0, n).map((e) => e.seq));
    const seen = new Set<string>();
    for (const e of ev) { const k = e.type + (e as any).raceId + (e.type === 'race closing' ? (e as any).closesAt : ''); if (e.type !== 'race opened') { expect(seen.has(k), k).toBe(false); seen.add(k); } }
    settled += ev.filter((e) => e.type === 'race settled').length;
    voids += ev.filter((e) => e.type === 'race void').length;
    for (const e of ev) {
      if (e.type === 'race closed') { const d = await arena.records.get(e.raceId); late.push((d?.row.closedAt ?? 0) - (d?.row.closesAt ?? 0)); }
      if (e.type === 'race running') lateRun.push(e.at - e.startsAt);
    }
  }
  const q = (l: number[]) => { l.sort((x, y) => x - y); return [l[Math.floor(l.length / 2)], l[Math.floor(l.length * 0.99)], l.at(-1)]; };
  console.log({ settled, voids, close: q(late), run: q(lateRun), stats: pool.stats(), audit: await arena.audit() });
  const counts: any = {}; for (const e of errors) counts[String(e)] = (counts[String(e)] ?? 0) + 1;
  const lines: any = {}; for (const l of arena.lines) { const k = `${l.level} ${l.event} ${(l.facts as any).err?.message ?? ''}`; lines[k] = (lines[k] ?? 0) + 1; }
  console.log(counts, lines);
  await arena.close(); await pool.close();
}, 120_000);
