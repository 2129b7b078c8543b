/** Leaderboards: what they rank by, their periods and their ranks. Pure; points are bigint. */

export const METRICS = ['profit', 'hit-rate', 'races', 'best-dividend', 'streak'] as const;
/** `profit` in points · `hit-rate` by its Wilson bound · `races` · `best-dividend` per 100 points · `streak`: most hits in a row. */
export type BoardMetric = (typeof METRICS)[number];

export const WINDOWS = ['day', 'week', 'season', 'all'] as const;
/** Days, ISO weeks and calendar quarters, each from its first midnight up to the next one's; `all`: since ever. */
export type BoardWindow = (typeof WINDOWS)[number];

const Z = 1.96;

/**
 * Lower bound of the Wilson score interval for `hits` of `races` at z = 1.96: what the true rate is above with 97.5 %.
 * Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
 * Statistical Association 22 (1927), 209–212. SQL has the same in wilson_lower (0007_boards.sql).
 */
export function wilsonLowerBound(hits: number, races: number): number {
  const half = (Z * Z) / 2;
  const spread = Z * Math.sqrt((hits * (races - hits)) / races + half / 2);
  // Rounding must not put nothing hit below nothing.
  return Math.max(0, (hits + half - spread) / (races + 2 * half));
}

/** What a line is ranked by as people read it: points, counts and dividends in decimal, hit rates from 0 to 1 with four digits. */
export function valueText(
  metric: BoardMetric,
  { value, hits, races }: { readonly value: bigint; readonly hits: number; readonly races: number },
): string {
  return metric === 'hit-rate' ? wilsonLowerBound(hits, races).toFixed(4) : value.toString();
}

/**
 * Dense ranks of values that do not rise: equal values share a rank, the next value has the next one. `before`: the value
 * and rank of what stands right above the first.
 */
export function denseRanks(
  values: readonly bigint[],
  before?: { readonly value: bigint; readonly rank: number },
): number[] {
  let { value: last, rank } = before ?? { value: undefined, rank: 0 };
  return values.map((value) => {
    if (value !== last) rank += 1;
    last = value;
    return rank;
  });
}

// ---- periods: '2026-11-20', '2026-W47', '2026-Q4', '' for all time ----

const SHAPES: Readonly<Record<BoardWindow, RegExp>> = {
  day: /^\d{4}-\d{2}-\d{2}$/,
  week: /^\d{4}-W\d{2}$/,
  season: /^\d{4}-Q[1-4]$/,
  all: /^$/,
};

/** Days since 1 March of year 0; the counting of Howard Hinnant's `days_from_civil`, which knows every leap year. */
function dayNumber(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const inYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return 365 * y + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + inYear;
}

function dayText(number: number): string {
  const era = Math.floor(number / 146_097);
  const inEra = number - era * 146_097;
  const yearInEra = Math.floor(
    (inEra - Math.floor(inEra / 1_460) + Math.floor(inEra / 36_524) - Math.floor(inEra / 146_096)) / 365,
  );
  const inYear = inEra - (365 * yearInEra + Math.floor(yearInEra / 4) - Math.floor(yearInEra / 100));
  const shifted = Math.floor((5 * inYear + 2) / 153);
  const month = shifted + (shifted < 10 ? 3 : -9);
  const day = inYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const year = yearInEra + era * 400 + (month <= 2 ? 1 : 0);
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`;
}

const digits = (number: number, count: number): string => String(number).padStart(count, '0');

function numberOf(day: string): number {
  return dayNumber(Number(day.slice(0, 4)), Number(day.slice(5, 7)), Number(day.slice(8)));
}

/** 0 Monday … 6 Sunday. Day 0 was a Wednesday. */
const weekday = (number: number): number => (number + 2) % 7;

function weekOf(number: number): string {
  // A week belongs to the year of its Thursday.
  const thursday = number - weekday(number) + 3;
  const year = Number(dayText(thursday).slice(0, 4));
  return `${digits(year, 4)}-W${digits(Math.floor((thursday - dayNumber(year, 1, 1)) / 7) + 1, 2)}`;
}

/** The period of this window that holds `day` (YYYY-MM-DD in the board's time zone). */
export function periodOf(window: BoardWindow, day: string): string {
  switch (window) {
    case 'day':
      return day;
    case 'week':
      return weekOf(numberOf(day));
    case 'season':
      return `${day.slice(0, 4)}-Q${Math.ceil(Number(day.slice(5, 7)) / 3)}`;
    case 'all':
      return '';
  }
}

/** First day of a period of `day`, `week` or `season`. */
function firstDay(window: Exclude<BoardWindow, 'all'>, period: string): number {
  const year = Number(period.slice(0, 4));
  if (window === 'day') return numberOf(period);
  if (window === 'season') return dayNumber(year, 3 * Number(period.slice(6)) - 2, 1);
  const fourth = dayNumber(year, 1, 4);
  return fourth - weekday(fourth) + 7 * (Number(period.slice(6)) - 1);
}

/** Whether there is such a period: '2026-02-30' and '2026-W54' are none. */
export function isPeriod(window: BoardWindow, period: string): boolean {
  if (!SHAPES[window].test(period)) return false;
  return window === 'all' || periodOf(window, dayText(firstDay(window, period))) === period;
}

/** The period right before (-1) or after (1) one that there is; null for all time. */
export function neighbour(window: BoardWindow, period: string, step: -1 | 1): string | null {
  if (window === 'all') return null;
  const first = firstDay(window, period);
  // 93 days on is the second or third day of the next quarter.
  return periodOf(window, dayText(step === -1 ? first - 1 : first + { day: 1, week: 7, season: 93 }[window]));
}

// ---- profile ----

/** At most `most` of the points, first and last among them, evenly by their order. */
export function thinned<Point>(points: readonly Point[], most: number): Point[] {
  if (points.length <= most) return [...points];
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, index) => points[Math.round(index * step)]).filter(
    (point) => point !== undefined,
  );
}
