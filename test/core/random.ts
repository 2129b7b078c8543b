/** Random integers from a seed; PADDOCK_TEST_SEED repeats a run. Print the seed wherever a case fails. */
export type Integers = {
  readonly seed: number;
  /** 0 … n − 1 */
  below(n: number): number;
  shuffle<T>(items: readonly T[]): T[];
};

export function integers(
  seed = Number(process.env.PADDOCK_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31)),
): Integers {
  let state = seed >>> 0;
  /** mulberry32 */
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (n: number): number => Math.floor((next() / 2 ** 32) * n);
  const shuffle = <T>(items: readonly T[]): T[] => {
    const left = [...items];
    const shuffled: T[] = [];
    while (left.length > 0) shuffled.push(...left.splice(below(left.length), 1));
    return shuffled;
  };
  return { seed, below, shuffle };
}
