/** Days of people, not of UTC. Times are server time in ms; days are YYYY-MM-DD in a named time zone. */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const QUARTER_MS = 900_000;
let lately: { readonly quarter: number; readonly timeZone: string; readonly day: string } | null = null;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Throws RangeError for an unknown time zone. */
export function dayOf(at: number, timeZone: string): string {
  // Asked for every bet, and the same for a quarter of an hour: every zone changes its day or its hour at one.
  const quarter = Math.floor(at / QUARTER_MS);
  if (lately?.quarter !== quarter || lately.timeZone !== timeZone)
    lately = { quarter, timeZone, day: computedDay(at, timeZone) };
  return lately.day;
}

function computedDay(at: number, timeZone: string): string {
  let format = formats.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
    formats.set(timeZone, format);
  }
  return format.format(at);
}

/** The first instant of the day after the one that holds `at`; right also where a day has 23 or 25 hours. */
export function startOfNextDay(at: number, timeZone: string): number {
  const today = dayOf(at, timeZone);
  return firstOf((candidate) => dayOf(candidate, timeZone) > today, at, at + DAY_MS + 2 * HOUR_MS);
}

/** The first instant of the day that holds `at`. */
export function startOfDay(at: number, timeZone: string): number {
  const today = dayOf(at, timeZone);
  return firstOf((candidate) => dayOf(candidate, timeZone) === today, at - DAY_MS - 2 * HOUR_MS, at);
}

/** Least instant in (low, high] for which `holds`; it holds for `high`, and for all above the first for which it does. */
function firstOf(holds: (at: number) => boolean, low: number, high: number): number {
  let before = Math.floor(low);
  let after = Math.ceil(high);
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (holds(middle)) after = middle;
    else before = middle;
  }
  return after;
}
