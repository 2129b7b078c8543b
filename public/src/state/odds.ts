import { SHAPES } from '../../../lib/core/pools.ts';
import type { OddsView, Pool, RaceView } from '../types.ts';

/** The odds after a message: odds of many pools come in parts of one version, of which the first begins anew. */
export function mergeOdds(held: OddsView | null, view: OddsView): OddsView {
  if (held !== null && held.raceId === view.raceId && view.version < held.version) return held;
  const continues = held?.raceId === view.raceId && held.version === view.version && (view.part?.[0] ?? 1) > 1;
  if (!continues) return view;
  const top = { ...held.top, ...view.top };
  return { ...held, ...view, totals: { ...held.totals, ...view.totals }, top };
}

/** Odds of a selection as shown: "2.4", or "2.1–3.4" where it depends on who else is placed; undefined: nobody backed it. */
export function oddsShown(view: OddsView | null, pool: Pool, key: string): string | undefined {
  const text = listOf(view, pool)?.[key];
  if (text === undefined || typeof text === 'string') return text;
  return text[0] === text[1] ? text[0] : `${text[0]}–${text[1]}`;
}

/** The selections whose odds are known, in the order in which they came: the most backed first. */
export function oddsKeys(view: OddsView | null, pool: Pool): readonly string[] {
  return Object.keys(listOf(view, pool) ?? {});
}

function listOf(view: OddsView | null, pool: Pool) {
  if (pool === 'win') return view?.win;
  return pool === 'place' ? view?.place : view?.top?.[pool];
}

/** Horses chosen so far with one more or one less: in the order in which they were tapped, the last makes way where all are. */
export function toggled(pool: Pool, chosen: readonly number[], number: number): readonly number[] {
  if (chosen.includes(number)) return chosen.filter((other) => other !== number);
  return [...chosen.slice(0, SHAPES[pool].size - 1), number];
}

export function isComplete(pool: Pool, chosen: readonly number[]): boolean {
  return chosen.length === SHAPES[pool].size;
}

/** As the server writes it: ascending where the order does not count. */
export function inNormalOrder(pool: Pool, chosen: readonly number[]): readonly number[] {
  return SHAPES[pool].ordered ? chosen : [...chosen].sort((a, b) => a - b);
}

/** "3 → 7" where the order counts, else "3 – 7". */
export function selectionText(pool: Pool, selection: readonly (number | string)[]): string {
  return selection.join(SHAPES[pool].ordered ? ' → ' : ' – ');
}

/** Whether the race still has the runners that the pool needs. */
export function stands(view: RaceView, pool: Pool): boolean {
  return view.field.length - view.scratched.length >= SHAPES[pool].minimumRunners;
}

/** "77.5": how much of the pool is paid back, in percent. */
export function percentOf(view: RaceView, pool: Pool): string {
  const rate = view.rules.pools.find((open) => open.pool === pool)?.rate;
  return rate === undefined ? '' : String((rate.num * 100) / rate.den);
}
