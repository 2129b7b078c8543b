/** Share of a pool that is paid back, as an exact fraction. */
type Rate = { readonly num: number; readonly den: number };

const DEFAULTS = {
  win: '80',
  place: '80',
  quinella: '77.5',
  exacta: '75',
  'quinella-place': '77.5',
  trio: '75',
  trifecta: '72.5',
} as const;
type RatedPool = keyof typeof DEFAULTS;
export type ReturnRates = Readonly<Record<RatedPool, Rate>>;

const POOLS = Object.keys(DEFAULTS) as RatedPool[];

export const RETURN_RATES_FALLBACK = POOLS.map((pool) => `${pool}=${DEFAULTS[pool]}`).join(',');
export const RETURN_RATES_RULE = `pool=percent, separated by commas, each pool once (${POOLS.join(', ')}); percent from 1 to 100, two decimals at most`;

/** "win=80,exacta=75.5" over the defaults; null where it is not that. */
export function parseReturnRates(text: string): ReturnRates | null {
  const rates = new Map<string, Rate>();
  for (const part of text.split(',')) {
    const [pool = '', percent = '', ...rest] = part.split('=').map((word) => word.trim());
    const rate = rateOf(percent);
    if (rest.length > 0 || rate === null || !(pool in DEFAULTS) || rates.has(pool)) return null;
    rates.set(pool, rate);
  }
  const all = POOLS.map((pool) => [pool, rates.get(pool) ?? rateOf(DEFAULTS[pool])] as const);
  return Object.freeze(Object.fromEntries(all)) as ReturnRates;
}

/** Digits without their point over a power of ten: no float comes near it. */
function rateOf(percent: string): Rate | null {
  const [, whole = '', decimals = ''] = /^(\d{1,3})(?:\.(\d{1,2}))?$/.exec(percent) ?? [];
  const rate = { num: Number(whole + decimals), den: 100 * 10 ** decimals.length };
  return whole !== '' && rate.num <= rate.den && rate.num * 100 >= rate.den ? rate : null;
}
