import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { SHAPES } from '../../../lib/core/pools.ts';
import { t } from '../i18n/index.ts';
import { ask } from '../net/socket.ts';
import { inNormalOrder, isComplete } from '../state/odds.ts';
import type { Pool, RaceView, Reply } from '../types.ts';
import { points } from '../ui/format.ts';
import { Button } from '../ui/parts.tsx';
import { shortName } from './my-bets.tsx';
import { StakeLeft, whyNone } from './stake-left.tsx';

type Props = {
  readonly view: RaceView;
  readonly pool: Pool;
  /** in the order in which they were tapped */
  readonly chosen: readonly number[];
  /** points that may still be staked */
  readonly most: bigint;
  /** the stake to begin with; null: the smallest */
  readonly first: bigint | null;
  /** what stands in the way right now */
  readonly note: string | null;
  readonly onPlace: (stake: bigint) => void;
};

const CHIPS: readonly bigint[] = [100n, 500n, 1_000n];
const UNIT = 100n;
const QUOTE_MS = 250;

/** The stake for the chosen horses, and what it would pay if betting closed now. */
export function BetSlip({ view, pool, chosen, most, first, note, onPlace }: Props) {
  const stake = useSignal<bigint>(most < UNIT ? 0n : (first ?? UNIT));
  const quote = useSignal<Reply<'bet:quote'> | null>(null);
  const complete = isComplete(pool, chosen);
  const value = stake.value > most ? most : stake.value;
  useEffect(() => {
    quote.value = null;
    if (!complete || value < UNIT) return;
    let current = true;
    const timer = setTimeout(async () => {
      const answer = await ask('bet:quote', {
        raceId: view.id,
        pool,
        selection: [...chosen],
        stake: String(value),
      });
      if (current && answer.ok) quote.value = answer.data;
    }, QUOTE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [view.id, pool, complete && chosen.join('-'), value]);
  if (!complete) {
    return (
      <div class="action-bar slip slip-empty">
        <p>
          {most < UNIT
            ? t(whyNone())
            : chosen.length > 0
              ? `${shortName(view, pool, chosen)} · ${t('bet.chooseMore', { n: SHAPES[pool].size - chosen.length })}`
              : SHAPES[pool].size > 1
                ? t('bet.chooseMany', { n: SHAPES[pool].size })
                : t('bet.choose')}
        </p>
        <StakeLeft view={view} />
      </div>
    );
  }
  const add = (amount: bigint) => {
    const next = stake.value === UNIT && amount !== UNIT ? amount : stake.value + amount;
    stake.value = next > most ? most : next;
  };
  return (
    <div class="action-bar slip">
      <div class="slip-line">
        <span class="slip-what">
          {t(`pool.${pool}`)} · {shortName(view, pool, inNormalOrder(pool, chosen))}
        </span>
        {note === null ? (
          <span class="slip-quote" aria-live="polite">
            {quote.value &&
              t(quote.value.low === quote.value.high ? 'bet.pays' : 'bet.paysRange', {
                low: points(quote.value.low),
                high: points(quote.value.high),
              })}
          </span>
        ) : (
          <span class="slip-note">{note}</span>
        )}
      </div>
      <StakeLeft view={view} />
      <div class="slip-keys">
        <div class="chips" role="group" aria-label={t('bet.stake')}>
          {CHIPS.map((chip) => (
            <button
              key={String(chip)}
              type="button"
              class="chip"
              disabled={value + chip > most && value >= most}
              onClick={() => add(chip)}
            >
              +{points(chip)}
            </button>
          ))}
          {value > UNIT && value >= most ? (
            <button type="button" class="chip" onClick={() => (stake.value = UNIT)}>
              {t('bet.reset')}
            </button>
          ) : (
            <button type="button" class="chip" disabled={most < UNIT} onClick={() => (stake.value = most)}>
              {t('bet.max')}
            </button>
          )}
        </div>
        <Button tone="primary" disabled={value < UNIT} onClick={() => onPlace(value)}>
          {value < UNIT ? t('slip.none') : t('bet.place', { points: points(value) })}
        </Button>
      </div>
    </div>
  );
}
