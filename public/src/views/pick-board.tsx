import { useSignal } from '@preact/signals';
import { t } from '../i18n/index.ts';
import { choosePick, clearPick, votePlace } from '../state/betting.ts';
import { nameOf } from '../state/people.ts';
import { mine, odds, room } from '../state/room.ts';
import type { RaceView } from '../types.ts';
import { Button, Tag } from '../ui/parts.tsx';
import { RunnerName } from './runner.tsx';

/** Why this player has nothing to pick here; null: may pick. */
function hindrance(view: RaceView): 'pick.spectator' | 'pick.notReady' | 'pick.notInRerun' | null {
  const held = room.value;
  if (held === null || held.me.role !== 'player') return 'pick.spectator';
  const self = held.members.find((member) => member.id === held.me.playerId);
  if (view.participants) return view.participants.includes(held.me.playerId) ? null : 'pick.notInRerun';
  return self?.ready === false ? 'pick.notReady' : null;
}

export function PickBoard({ view }: { view: RaceView }) {
  const busy = useSignal(false);
  const held = room.value;
  if (held === null) return null;
  const why = hindrance(view);
  const mayPick = view.phase === 'open' && why === null;
  const own = mine.value?.raceId === view.id ? (mine.value.pick?.horse ?? null) : null;
  const taken = new Set((odds.value?.raceId === view.id ? odds.value.taken : undefined) ?? view.taken ?? []);
  const run = (work: Promise<void>) => {
    busy.value = true;
    void work.finally(() => (busy.value = false));
  };
  const waitingFor =
    view.participants ??
    held.members.filter((member) => member.role === 'player' && member.ready !== false).map((member) => member.id);
  return (
    <>
      <div class="pane-head">
        <h2>{t(view.phase !== 'open' ? 'pick.titleClosed' : view.participants ? 'pick.rerunTitle' : 'pick.title')}</h2>
        <span class="pool-total">
          {t('pick.picked', { n: view.picked.length, of: Math.max(waitingFor.length, view.picked.length) })}
        </span>
      </div>
      <p class="hint rule">
        {view.phase === 'open' && t(view.rules.exclusivePicks ? 'pick.exclusive' : 'pick.secret')}{' '}
        {view.participants && t('pick.rerun', { names: view.participants.map(nameOf).join(', ') })}
      </p>
      {why !== null && view.phase === 'open' && <p class="waiting">{t(why)}</p>}
      <ul class="board">
        {view.field.map((runner) => {
          const gone = taken.has(runner.number) && own !== runner.number;
          const pickers = view.picks?.filter((pick) => pick.horse === runner.number) ?? [];
          return (
            <li key={runner.number}>
              <button
                type="button"
                class={view.picks && pickers.length === 0 ? 'board-horse board-unpicked' : 'board-horse'}
                aria-pressed={own === runner.number}
                disabled={!mayPick || gone || busy.value || view.scratched.includes(runner.number)}
                onClick={() => run(choosePick(view.id, runner.number))}
              >
                <RunnerName runner={runner} plain />
                {view.scratched.includes(runner.number) && <Tag tone="bad">{t('runner.scratched')}</Tag>}
                {own === runner.number && pickers.length === 0 && <Tag tone="live">{t('pick.mine')}</Tag>}
                {gone && pickers.length === 0 && <Tag>{t('pick.taken')}</Tag>}
                {pickers.length > 0 && (
                  <small class="pickers">{pickers.map((pick) => nameOf(pick.playerId)).join(', ')}</small>
                )}
              </button>
            </li>
          );
        })}
      </ul>
      {view.rules.placeVote && <PlaceVote view={view} mayVote={mayPick} players={waitingFor.length} />}
      {view.place && (
        <p class="notice">{t('pick.placeDrawn', { place: view.place.drawn, votes: view.place.votes.length })}</p>
      )}
      {mayPick && (
        <div class="action-bar row">
          <Button
            icon="dice"
            wide
            busy={busy.value}
            tone={own === null ? 'primary' : 'plain'}
            onClick={() => run(choosePick(view.id, 'random'))}
          >
            {t('pick.random')}
          </Button>
          {own !== null && (
            <Button busy={busy.value} onClick={() => run(clearPick(view.id))}>
              {t('pick.clear')}
            </Button>
          )}
        </div>
      )}
    </>
  );
}

function PlaceVote({ view, mayVote, players }: { view: RaceView; mayVote: boolean; players: number }) {
  const own = mine.value?.raceId === view.id ? mine.value.vote?.place : undefined;
  if (view.phase !== 'open') return null;
  const last = Math.max(2, Math.min(players, view.field.length));
  const places = Array.from({ length: last }, (_, index) => index + 1);
  return (
    <section class="vote">
      <h3>{t('vote.title')}</h3>
      <p class="hint">{t('vote.hint')}</p>
      <div class="chips" role="group" aria-label={t('vote.title')}>
        {places.map((place) => (
          <button
            key={place}
            type="button"
            class="chip"
            aria-pressed={own === place}
            disabled={!mayVote}
            onClick={() => void votePlace(view.id, place)}
          >
            {place === last ? t('vote.last') : t('vote.place', { n: place })}
          </button>
        ))}
      </div>
    </section>
  );
}
