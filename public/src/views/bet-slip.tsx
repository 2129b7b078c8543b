import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { inLocale, t } from '../i18n/index.ts';
import { ask } from '../net/socket.ts';
import { balance } from '../state/session.ts';
import type { Pool, RaceView, Reply, Runner } from '../types.ts';
import { points } from '../ui/format.ts';
import { Button } from '../ui/parts.tsx';

type Props = {
  readonly view: RaceView;
  readonly pool: Pool;
  readonly runner: Runner | null;
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

/** The stake for the chosen horse, and what it would pay if betting closed now. */
export function BetSlip({ view, pool, runner, most, first, note, onPlace }: Props) {
  const stake = useSignal<bigint>(most < UNIT ? 0n : (first ?? UNIT));
  const quote = useSignal<Reply<'bet:quote'> | null>(null);
  const value = stake.value > most ? most : stake.value;
  useEffect(() => {
    quote.value = null;
    if (runner === null || value < UNIT) return;
    let current = true;
    const timer = setTimeout(async () => {
      const answer = await ask('bet:quote', {
        raceId: view.id,
        pool,
        selection: [runner.number],
        stake: String(value),
      });
      if (current && answer.ok) quote.value = answer.data;
    }, QUOTE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [view.id, pool, runner?.number, value]);
  if (runner === null) {
    return (
      <div class="action-bar slip slip-empty">
        <p>
          {t(
            most < UNIT
              ? balance.value !== null && balance.value.points < UNIT
                ? 'bet.noPoints'
                : 'bet.limitReached'
              : 'bet.choose',
          )}
        </p>
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
          {t(`pool.${pool}`)} · {runner.number} {inLocale(runner.name)}
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
          {value < UNIT ? t('bet.limitReached') : t('bet.place', { points: points(value) })}
        </Button>
      </div>
    </div>
  );
}
