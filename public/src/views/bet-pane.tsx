import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { SHAPES } from '../../../lib/core/pools.ts';
import { type TextKey, t } from '../i18n/index.ts';
import { placeBet, stakedIn } from '../state/betting.ts';
import { inNormalOrder, isComplete, oddsShown, percentOf, stands, toggled } from '../state/odds.ts';
import { paused } from '../state/pause.ts';
import { odds, room } from '../state/room.ts';
import { balance, ledgerAway } from '../state/session.ts';
import { leftToday, restLeft } from '../state/wallet.ts';
import type { Pool, RaceView, Runner } from '../types.ts';
import { countdown, points, stakeable } from '../ui/format.ts';
import { Tag } from '../ui/parts.tsx';
import { now } from '../ui/ticker.ts';
import { BetSlip } from './bet-slip.tsx';
import { MyBets } from './my-bets.tsx';
import { PoolTabs } from './pool-tabs.tsx';
import { RunnerName } from './runner.tsx';
import { TopOdds } from './top-odds.tsx';

const NONE: readonly number[] = [];

export function BetPane({ view }: { view: RaceView }) {
  const pool = useSignal<Pool>(view.pools[0] ?? 'win');
  /** In the order in which they were tapped. */
  const chosen = useSignal<readonly number[]>(NONE);
  const isPlayer = room.value?.me.role === 'player';
  const open = view.phase === 'open' && !paused.value;
  /** What a refused bet was about: it is on the slip again. */
  const refusedStake = useSignal<bigint | null>(null);
  const empty = BigInt(totalIn(view, pool.value)) === 0n;
  const standing = stands(view, pool.value) && view.pools.length > 0;
  const choose = (next: readonly number[]) => {
    refusedStake.value = null;
    chosen.value = next;
  };
  useEffect(() => {
    choose(NONE);
    pool.value = view.pools[0] ?? 'win';
  }, [view.id]);
  useEffect(() => {
    if (chosen.value.some((number) => view.scratched.includes(number)))
      choose(chosen.value.filter((number) => !view.scratched.includes(number)));
  }, [view.scratched.length]);
  const most = stakeable(balance.value?.points ?? null, view.maxStakePerRace, stakedIn(view.id), leftToday());
  const resting = restLeft(now.value);
  const place = async (tapped: readonly number[], stake: bigint) => {
    const wanted = pool.value;
    choose(NONE);
    const done = await placeBet(view.id, wanted, inNormalOrder(wanted, tapped), stake);
    if (done || chosen.value.length > 0 || pool.value !== wanted) return;
    refusedStake.value = stake;
    chosen.value = tapped;
  };
  const total = (
    <span class="pool-total">
      {t('pool.total')} <b class="number">{points(totalIn(view, pool.value))}</b>
    </span>
  );
  const rule = <p class="hint rule">{standing ? ruleText(view, pool.value) : t('pool.gone')}</p>;
  return (
    <>
      {view.pools.length > 2 && <PoolTabs pools={view.pools} value={pool.value} onChange={turnTo} />}
      {view.pools.length > 2 ? (
        <div class="rule-line">
          {rule}
          {total}
        </div>
      ) : (
        <>
          <div class="pane-head">
            {view.pools.length === 2 ? (
              <PoolTabs pools={view.pools} value={pool.value} onChange={turnTo} />
            ) : (
              <h2>{t(`pool.${pool.value}`)}</h2>
            )}
            {total}
          </div>
          {rule}
        </>
      )}
      {empty && open && <p class="hint rule">{t('bet.none')}</p>}
      <ul class="runners">
        {view.field.map((horse) => (
          <li key={horse.number}>
            <BetRow
              view={view}
              runner={horse}
              pool={pool.value}
              at={open ? chosen.value.indexOf(horse.number) : -1}
              disabled={!open || !isPlayer || !standing || view.scratched.includes(horse.number)}
              bare={empty}
              onChoose={() => choose(toggled(pool.value, chosen.value, horse.number))}
            />
          </li>
        ))}
      </ul>
      {SHAPES[pool.value].size > 1 && (
        <TopOdds view={view} pool={pool.value} disabled={!open || !isPlayer} onChoose={choose} />
      )}
      <MyBets view={view} />
      {!isPlayer && <p class="waiting">{t('bet.spectator')}</p>}
      {!open && isPlayer && <p class="waiting">{t(closedText(view))}</p>}
      {open && isPlayer && resting > 0 && <p class="waiting">{t('slip.resting', { time: countdown(resting) })}</p>}
      {open && isPlayer && resting === 0 && (
        <BetSlip
          key={`${view.id} ${pool.value} ${isComplete(pool.value, chosen.value) ? chosen.value.join('-') : ''}`}
          view={view}
          pool={pool.value}
          chosen={chosen.value}
          most={most}
          first={refusedStake.value}
          note={ledgerAway.value ? t('bet.away') : null}
          onPlace={(stake) => void place(chosen.value, stake)}
        />
      )}
    </>
  );

  /** Horses that were chosen for another pool stay as far as they fit. */
  function turnTo(next: Pool): void {
    choose(chosen.value.slice(0, SHAPES[next].size));
    pool.value = next;
  }
}

/** Who wins, and what is shared: two sentences. */
function ruleText(view: RaceView, pool: Pool): string {
  const rule: TextKey = pool === 'place' && view.rules.placesPaid === 2 ? 'pool.place.rule2' : `pool.${pool}.rule`;
  const share: TextKey = pool === 'place' || pool === 'quinella-place' ? 'pool.shareRange' : 'pool.share';
  return `${t(rule)} ${t(share, { percent: percentOf(view, pool) })}`;
}

/** Points in a pool, as last heard. */
function totalIn(view: RaceView, pool: Pool): string {
  const totals = odds.value?.raceId === view.id ? odds.value.totals : view.totals;
  return totals[pool]?.gross ?? '0';
}

/** Why nothing can be staked now. */
function closedText(view: RaceView): TextKey {
  if (paused.value) return 'bet.paused';
  return view.phase === 'closed' ? 'bet.closed' : 'bet.running';
}

type RowProps = {
  readonly view: RaceView;
  readonly runner: Runner;
  readonly pool: Pool;
  /** where it stands on the slip, from 0; −1: not on it */
  readonly at: number;
  readonly disabled: boolean;
  /** Nobody has bet on anything: there are no odds to show. */
  readonly bare: boolean;
  readonly onChoose: () => void;
};

function BetRow({ view, runner, pool, at, disabled, bare, onChoose }: RowProps) {
  const live = odds.value?.raceId === view.id ? odds.value : null;
  const { size, ordered } = SHAPES[pool];
  const shown = size === 1 ? oddsShown(live, pool, String(runner.number)) : undefined;
  const out = view.scratched.includes(runner.number);
  return (
    <button type="button" class="runner-row" aria-pressed={at >= 0} disabled={disabled} onClick={onChoose}>
      <RunnerName runner={runner} />
      {out ? (
        <Tag tone="bad">{t('runner.scratched')}</Tag>
      ) : (
        <span class="odds">
          {size === 1 && !bare && <b class="number">{shown ?? <abbr title={t('bet.noneOnIt')}>—</abbr>}</b>}
          {runner.morningLine && <small>{t('runner.morningLine', { odds: runner.morningLine })}</small>}
        </span>
      )}
      {size > 1 && !out && (
        <span class="pick-mark" data-chosen={at >= 0}>
          {at >= 0 && (ordered ? t('bet.nth', { n: at + 1 }) : '✓')}
        </span>
      )}
    </button>
  );
}
