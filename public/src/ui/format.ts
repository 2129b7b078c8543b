/** Digits in groups of three. */
export function points(value: bigint | string): string {
  const text = value.toString();
  return text.replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** With its sign: what was won or lost. */
export function signedPoints(value: bigint): string {
  return value > 0n ? `+${points(value)}` : value < 0n ? `−${points(-value)}` : '0';
}

/** Dividend for 100 points as odds for one, one digit: "340" → "3.4". */
export function oddsOf(per100: string): string {
  const value = BigInt(per100);
  return `${value / 100n}.${(value % 100n) / 10n}`;
}

/** Seconds left of an instant, never below 0; a started second counts. */
export function secondsLeft(until: number, now: number): number {
  return Math.max(0, Math.ceil((until - now) / 1_000));
}

/** "0:07", "2:30", "1:02:05". */
export function countdown(seconds: number): string {
  const s = String(seconds % 60).padStart(2, '0');
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${s}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${s}`;
}

/** Race time in ms as "31.48". */
export function raceSeconds(ms: number): string {
  return `${Math.floor(ms / 1_000)}.${String(Math.floor((ms % 1_000) / 10)).padStart(2, '0')}`;
}

export function clockTime(at: number, locale: string): string {
  return new Date(at).toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit' });
}

/** Day and time of day, as short as the language has it. */
export function moment(at: number, locale: string): string {
  return new Date(at).toLocaleString(locale, { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' });
}

/** "11/20 16:35", by this machine's clock: for lists. */
export function stamp(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getMonth() + 1}/${date.getDate()} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** What may still be staked: the balance, the race's limit and an own one of the day, down to whole units of 100; never below 0. */
export function stakeable(
  balance: bigint | null,
  maxPerRace: string,
  staked: bigint,
  leftToday: bigint | null = null,
): bigint {
  const bounds = [BigInt(maxPerRace) - staked, balance, leftToday].filter((bound) => bound !== null);
  const most = bounds.reduce((least, bound) => (bound < least ? bound : least));
  return most <= 0n ? 0n : most - (most % 100n);
}
