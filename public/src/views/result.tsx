import { inLocale, t } from '../i18n/index.ts';
import { selectionText } from '../state/odds.ts';
import { nameOf } from '../state/people.ts';
import { mine, room, settledBets } from '../state/room.ts';
import { recordShown } from '../state/route.ts';
import type { RaceView } from '../types.ts';
import { points, raceSeconds, signedPoints } from '../ui/format.ts';
import { Button, Tag } from '../ui/parts.tsx';
import { SilksIcon } from '../ui/silks.tsx';
import { Dividends } from './dividends.tsx';
import { horseName } from './my-bets.tsx';

export function ResultView({ view }: { view: RaceView }) {
  return (
    <section class="result" aria-live="polite">
      {view.phase === 'void' ? (
        <VoidNote view={view} />
      ) : view.kind === 'pick' ? (
        <Caught view={view} />
      ) : (
        <MyOutcome view={view} />
      )}
      {view.result && <Order view={view} />}
      <Button icon="shield" tone="quiet" wide onClick={() => (recordShown.value = view.id)}>
        {t('record.open')}
      </Button>
    </section>
  );
}

function VoidNote({ view }: { view: RaceView }) {
  const reason = view.voidReason ?? 'admin';
  return (
    <div class="headline">
      <h2>{t('void.title')}</h2>
      <p>{t(`void.${reason}`)}</p>
      {reason === 'same-horse' && view.picks?.[0] && <HorseLine view={view} number={view.picks[0].horse} />}
      {view.kind === 'bet' && <p class="hint">{t(view.payoutsHeld ? 'result.held' : 'void.refunded')}</p>}
    </div>
  );
}

function HorseLine({ view, number }: { view: RaceView; number: number }) {
  const runner = view.field.find((other) => other.number === number);
  if (!runner) return null;
  return (
    <p class="horse-line">
      <SilksIcon silks={runner.silks} id={`h${number}`} size={26} /> {number} {inLocale(runner.name)}
    </p>
  );
}

function Caught({ view }: { view: RaceView }) {
  const caught = view.result?.caught ?? [];
  const self = room.value?.me.playerId;
  const meToo = self !== undefined && caught.includes(self);
  const place = view.place?.drawn;
  return (
    <div class={meToo ? 'headline headline-caught' : 'headline'}>
      {place !== undefined && <p class="kicker">{t('result.caughtPlace', { place })}</p>}
      <h2>{caught.map(nameOf).join(', ')}</h2>
      <p>{t(caught.length > 1 ? 'result.caughtMany' : meToo ? 'result.caughtMe' : 'result.caughtOne')}</p>
    </div>
  );
}

function MyOutcome({ view }: { view: RaceView }) {
  const bets = mine.value?.raceId === view.id ? mine.value.bets : [];
  const settled = settledBets.value?.raceId === view.id ? settledBets.value.bets : [];
  const rows =
    settled.length > 0
      ? settled
      : bets.flatMap((bet) => (bet.outcome ? [{ ...bet, outcome: bet.outcome, returned: bet.returned ?? '0' }] : []));
  if (rows.length === 0) {
    return (
      <div class="headline">
        <h2>{t('result.title')}</h2>
        <p>{t(view.payoutsHeld ? 'result.held' : bets.length > 0 ? 'result.counting' : 'result.noBets')}</p>
      </div>
    );
  }
  const staked = rows.reduce((sum, bet) => sum + BigInt(bet.stake), 0n);
  const returned = rows.reduce((sum, bet) => sum + BigInt(bet.returned), 0n);
  const net = returned - staked;
  return (
    <div class={net > 0n ? 'headline headline-won' : 'headline'}>
      <p class="kicker">{t(net > 0n ? 'result.won' : net < 0n ? 'result.lost' : 'result.even')}</p>
      <h2 class="number">{signedPoints(net)}</h2>
      <ul class="outcomes">
        {rows.map((bet) => (
          <li key={bet.betId}>
            <Tag>{t(`pool.${bet.pool}`)}</Tag>
            <span class="outcome-name">
              {selectionText(
                bet.pool,
                bet.selection.map((number) => horseName(view, number)),
              )}
              <small>{t('unit.points', { n: points(bet.stake) })}</small>
            </span>
            <Tag tone={bet.outcome === 'paid' ? 'live' : 'plain'}>{t(`outcome.${bet.outcome}`)}</Tag>
            <b class="number">{points(bet.returned)}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

export function Order({ view }: { view: RaceView }) {
  const { result } = view;
  if (!result) return null;
  const picked = view.picks ? new Set(view.picks.map((pick) => pick.horse)) : null;
  return (
    <>
      {result.refunded?.map((pool) => (
        <p key={pool} class="notice">
          {t('result.refunded', { pool: t(`pool.${pool}`) })}
        </p>
      ))}
      <ol class="order">
        {result.order.map(({ number, place, finishMs }) => {
          const runner = view.field.find((other) => other.number === number);
          const pickers = view.picks?.filter((pick) => pick.horse === number) ?? [];
          const scenery = picked !== null && !picked.has(number);
          return (
            <li key={number} class={scenery ? 'order-row order-scenery' : 'order-row'}>
              <b class="place">{place}</b>
              {runner && <SilksIcon silks={runner.silks} id={`o${number}`} size={26} />}
              <span class="order-name">
                {number} {runner && inLocale(runner.name)}
                {pickers.length > 0 && (
                  <small>
                    {pickers
                      .map((pick) => `${nameOf(pick.playerId)}${pick.drawn ? ` (${t('result.drawn')})` : ''}`)
                      .join(', ')}
                  </small>
                )}
              </span>
              <span class="time number">{raceSeconds(finishMs)}</span>
            </li>
          );
        })}
      </ol>
      <Dividends view={view} />
    </>
  );
}
