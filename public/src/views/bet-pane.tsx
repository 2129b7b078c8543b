import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { inLocale, type TextKey, t } from '../i18n/index.ts';
import { pendingBets, placeBet, stakedIn } from '../state/betting.ts';
import { paused } from '../state/pause.ts';
import { mine, odds, room } from '../state/room.ts';
import { balance, ledgerAway } from '../state/session.ts';
import type { Pool, RaceView, Runner } from '../types.ts';
import { points, stakeable } from '../ui/format.ts';
import { Segments, Tag } from '../ui/parts.tsx';
import { BetSlip } from './bet-slip.tsx';
import { RunnerName } from './runner.tsx';

export function BetPane({ view }: { view: RaceView }) {
  const pool = useSignal<Pool>(view.pools[0] ?? 'win');
  const chosen = useSignal<number | null>(null);
  const isPlayer = room.value?.me.role === 'player';
  const open = view.phase === 'open' && !paused.value;
  /** What a refused bet was about: it is on the slip again. */
  const refusedStake = useSignal<bigint | null>(null);
  const empty = BigInt(totalIn(view, pool.value)) === 0n;
  useEffect(() => {
    chosen.value = null;
    refusedStake.value = null;
    pool.value = view.pools[0] ?? 'win';
  }, [view.id]);
  const most = stakeable(balance.value?.points ?? null, view.maxStakePerRace, stakedIn(view.id));
  const runner = view.field.find((other) => other.number === chosen.value);
  const place = async (horse: number, stake: bigint) => {
    const wanted = pool.value;
    chosen.value = null;
    refusedStake.value = null;
    if ((await placeBet(view.id, wanted, horse, stake)) || chosen.value !== null || pool.value !== wanted) return;
    refusedStake.value = stake;
    chosen.value = horse;
  };
  return (
    <>
      <div class="pane-head">
        {view.pools.length > 1 ? (
          <Segments<Pool>
            label={t('pool.label')}
            value={pool.value}
            options={view.pools.map((value) => ({ value, text: t(`pool.${value}`) }))}
            onChange={(value) => (pool.value = value)}
          />
        ) : (
          <h2>{t(`pool.${pool.value}`)}</h2>
        )}
        <PoolTotal view={view} pool={pool.value} />
      </div>
      <p class="hint rule">
        {t(
          pool.value === 'win'
            ? 'pool.win.rule'
            : view.rules.placesPaid === 2
              ? 'pool.place.rule2'
              : 'pool.place.rule3',
        )}
      </p>
      {empty && open && <p class="hint rule">{t('bet.none')}</p>}
      <ul class="runners">
        {view.field.map((horse) => (
          <li key={horse.number}>
            <BetRow
              view={view}
              runner={horse}
              pool={pool.value}
              chosen={open && chosen.value === horse.number}
              disabled={!open || !isPlayer || view.scratched.includes(horse.number)}
              bare={empty}
              onChoose={() => {
                refusedStake.value = null;
                chosen.value = chosen.value === horse.number ? null : horse.number;
              }}
            />
          </li>
        ))}
      </ul>
      <MyBets view={view} />
      {!isPlayer && <p class="waiting">{t('bet.spectator')}</p>}
      {!open && isPlayer && <p class="waiting">{t(closedText(view))}</p>}
      {open && isPlayer && (
        <BetSlip
          key={`${view.id} ${pool.value} ${chosen.value}`}
          view={view}
          pool={pool.value}
          runner={runner ?? null}
          most={most}
          first={refusedStake.value}
          note={ledgerAway.value ? t('bet.away') : null}
          onPlace={(stake) => {
            if (runner) void place(runner.number, stake);
          }}
        />
      )}
    </>
  );
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

function PoolTotal({ view, pool }: { view: RaceView; pool: Pool }) {
  return (
    <span class="pool-total">
      {t('pool.total')} <b class="number">{points(totalIn(view, pool))}</b>
    </span>
  );
}

type RowProps = {
  readonly view: RaceView;
  readonly runner: Runner;
  readonly pool: Pool;
  readonly chosen: boolean;
  readonly disabled: boolean;
  /** Nobody has bet on anything: there are no odds to show. */
  readonly bare: boolean;
  readonly onChoose: () => void;
};

function BetRow({ view, runner, pool, chosen, disabled, bare, onChoose }: RowProps) {
  const live = odds.value?.raceId === view.id ? odds.value : null;
  const key = String(runner.number);
  const range = live?.place?.[key];
  const shown =
    pool === 'win' ? live?.win?.[key] : range && (range[0] === range[1] ? range[0] : `${range[0]}–${range[1]}`);
  const out = view.scratched.includes(runner.number);
  return (
    <button type="button" class="runner-row" aria-pressed={chosen} disabled={disabled} onClick={onChoose}>
      <RunnerName runner={runner} />
      {out ? (
        <Tag tone="bad">{t('runner.scratched')}</Tag>
      ) : (
        <span class="odds">
          {!bare && <b class="number">{shown ?? <abbr title={t('bet.noneOnIt')}>—</abbr>}</b>}
          {runner.morningLine && <small>{t('runner.morningLine', { odds: runner.morningLine })}</small>}
        </span>
      )}
    </button>
  );
}

function MyBets({ view }: { view: RaceView }) {
  const placed = mine.value?.raceId === view.id ? mine.value.bets : [];
  const pending = pendingBets.value.filter((bet) => bet.raceId === view.id);
  if (placed.length === 0 && pending.length === 0) return null;
  const name = (number: number | undefined): string => {
    const runner = view.field.find((other) => other.number === number);
    return runner ? `${runner.number} ${inLocale(runner.name)}` : '';
  };
  return (
    <section class="my-bets">
      <h3>
        {t('bet.mine')} <span class="count">{points(stakedIn(view.id))}</span>
      </h3>
      <ul>
        {placed.map((bet) => (
          <li key={bet.betId}>
            <Tag>{t(`pool.${bet.pool}`)}</Tag>
            <span>{name(bet.selection[0])}</span>
            <b class="number">{points(bet.stake)}</b>
          </li>
        ))}
        {pending.map((bet) => (
          <li key={`p${bet.id}`} class="pending">
            <Tag>{t(`pool.${bet.pool}`)}</Tag>
            <span>
              {name(bet.horse)} <small>{t('bet.pending')}</small>
            </span>
            <b class="number">{points(bet.stake)}</b>
          </li>
        ))}
      </ul>
    </section>
  );
}
