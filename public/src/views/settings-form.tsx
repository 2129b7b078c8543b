import { POOLS, placesPaid, SHAPES } from '../../../lib/core/pools.ts';
import { type TextKey, t } from '../i18n/index.ts';
import { choicesFor, type NUMBER_CHOICES } from '../state/settings.ts';
import type { Kind, Pool, Settings, Track } from '../types.ts';
import { points } from '../ui/format.ts';
import { Field, Segments, Toggle } from '../ui/parts.tsx';

type Props = { readonly kind: Kind; readonly value: Settings; readonly onChange: (patch: Partial<Settings>) => void };
type NumberKey = keyof typeof NUMBER_CHOICES;

const UNIT: Readonly<Record<NumberKey, TextKey>> = {
  capacity: 'unit.people',
  slowModeSeconds: 'unit.seconds',
  lifetimeMinutes: 'unit.minutes',
  emptyGraceSeconds: 'unit.seconds',
  openSeconds: 'unit.seconds',
  resultSeconds: 'unit.seconds',
  maxStakePerRace: 'unit.points',
};

/** The settings of the race, then those of the room. */
export function SettingsForm({ kind, value, onChange }: Props) {
  const number = (key: NumberKey, hint?: TextKey) => (
    <Field key={key} label={t(`setting.${key}`)} {...(hint ? { hint: t(hint) } : {})}>
      {(id) => (
        <select id={id} value={value[key]} onChange={(event) => onChange({ [key]: Number(event.currentTarget.value) })}>
          {choicesFor(key, value[key]).map((choice) => (
            <option key={choice} value={choice}>
              {choice === 0
                ? t('setting.off')
                : t(UNIT[key], { n: key === 'maxStakePerRace' ? points(String(choice)) : choice })}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  const toggle = (key: 'listed' | 'spectators' | 'locked' | 'exclusivePicks' | 'placeVote', hint?: TextKey) => (
    <Toggle
      label={t(`setting.${key}`)}
      {...(hint ? { hint: t(hint) } : {})}
      on={value[key]}
      onChange={(on) => onChange({ [key]: on })}
    />
  );
  return (
    <div class="settings">
      <h3>{t('setting.race')}</h3>
      <Segments
        label={t('setting.mode')}
        value={value.mode}
        options={[
          { value: 'manual', text: t('mode.manual') },
          { value: 'auto', text: t('mode.auto') },
        ]}
        onChange={(mode) => onChange({ mode })}
      />
      <p class="hint">{t(value.mode === 'manual' ? 'mode.manualHint' : 'mode.autoHint')}</p>
      <Segments<Track>
        label={t('setting.track')}
        value={value.track}
        options={[
          { value: 'short', text: t('track.short') },
          { value: 'medium', text: t('track.medium') },
          { value: 'long', text: t('track.long') },
        ]}
        onChange={(track) => onChange({ track })}
      />
      <div class="grid-2">
        <Horses kind={kind} value={value.horses} onChange={(horses) => onChange({ horses })} />
        {number('openSeconds')}
        {number('resultSeconds')}
        {kind === 'bet' && number('maxStakePerRace')}
      </div>
      {kind === 'bet' && <Pools value={value.pools} horses={value.horses} onChange={(pools) => onChange({ pools })} />}
      {kind === 'pick' && toggle('exclusivePicks', 'setting.exclusiveHint')}
      {kind === 'pick' && toggle('placeVote', 'setting.placeVoteHint')}
      <h3>{t('setting.room')}</h3>
      {toggle('listed', 'setting.listedHint')}
      {toggle('spectators')}
      {toggle('locked', 'setting.lockedHint')}
      <div class="grid-2">
        {number('capacity')}
        {number('slowModeSeconds')}
        {number('lifetimeMinutes')}
        {number('emptyGraceSeconds')}
      </div>
    </div>
  );
}

function Horses({
  kind,
  value,
  onChange,
}: {
  kind: Kind;
  value: Settings['horses'];
  onChange: (value: Settings['horses']) => void;
}) {
  return (
    <Field label={t('setting.horses')}>
      {(id) => (
        <select
          id={id}
          value={value}
          onChange={(event) =>
            onChange(event.currentTarget.value === 'auto' ? 'auto' : Number(event.currentTarget.value))
          }
        >
          {(kind === 'pick' || value === 'auto') && <option value="auto">{t('setting.horsesAuto')}</option>}
          {[4, 5, 6, 7, 8, 9, 10, 11, 12].map((count) => (
            <option key={count} value={count}>
              {t('unit.horses', { n: count })}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

type PoolsProps = {
  readonly value: readonly Pool[];
  readonly horses: Settings['horses'];
  readonly onChange: (pools: readonly Pool[]) => void;
};

/** Which kinds of bet there are; the last one cannot be taken away. */
function Pools({ value, horses, onChange }: PoolsProps) {
  const set = (pool: Pool, on: boolean) => {
    const next = POOLS.filter((other) => (other === pool ? on : value.includes(other)));
    if (next.length > 0) onChange(next);
  };
  return (
    <>
      <h3>{t('pool.label')}</h3>
      {POOLS.map((pool) => {
        const { minimumRunners } = SHAPES[pool];
        const few = horses !== 'auto' && horses < minimumRunners;
        const two = pool === 'place' && horses !== 'auto' && placesPaid(horses) === 2;
        const hint = few ? t('pool.needs', { n: minimumRunners }) : t(two ? 'pool.place.rule2' : `pool.${pool}.rule`);
        return (
          <Toggle
            key={pool}
            label={t(`pool.${pool}`)}
            hint={hint}
            on={value.includes(pool)}
            onChange={(on) => set(pool, on)}
          />
        );
      })}
    </>
  );
}
