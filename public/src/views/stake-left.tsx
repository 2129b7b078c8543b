import { type TextKey, t } from '../i18n/index.ts';
import { stakedIn } from '../state/betting.ts';
import { balance } from '../state/session.ts';
import { leftToday } from '../state/wallet.ts';
import type { RaceView } from '../types.ts';
import { points } from '../ui/format.ts';

const UNIT = 100n;

/** What the race's limit and the player's own one of the day leave. */
export function StakeLeft({ view }: { view: RaceView }) {
  const race = BigInt(view.maxStakePerRace) - stakedIn(view.id);
  const today = leftToday();
  const parts = [t('slip.leftRace', { points: points(race < 0n ? 0n : race) })];
  if (today !== null) parts.push(t('slip.leftToday', { points: points(today) }));
  return <p class="slip-left">{parts.join(' · ')}</p>;
}

/** Why nothing more can be staked. */
export function whyNone(): TextKey {
  if (balance.value !== null && balance.value.points < UNIT) return 'bet.noPoints';
  const today = leftToday();
  return today !== null && today < UNIT ? 'slip.dayReached' : 'bet.limitReached';
}
