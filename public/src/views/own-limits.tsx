import { useSignal } from '@preact/signals';
import { locale, t } from '../i18n/index.ts';
import { toast } from '../state/toasts.ts';
import { isWider, restLeft, setLimits } from '../state/wallet.ts';
import type { OwnLimits } from '../types.ts';
import { moment, points } from '../ui/format.ts';
import { Button, Field } from '../ui/parts.tsx';
import { now } from '../ui/ticker.ts';

const NONE = 'none';
const DAILY_CHOICES = ['0', '500', '1000', '2000', '3000', '5000', '10000', '20000', '50000', '100000'];
const REST_HOURS = [1, 6, 24, 72, 168, 720];

/** Limits that players set themselves: what holds now, what is to come, and how they are changed. */
export function OwnLimitsForm({ limits }: { limits: OwnLimits }) {
  return (
    <>
      <DailyLimit limits={limits} />
      <Rest limits={limits} />
    </>
  );
}

function DailyLimit({ limits }: { limits: OwnLimits }) {
  const now = limits.dailyStake ?? NONE;
  const chosen = useSignal(now);
  const busy = useSignal(false);
  const save = async () => {
    busy.value = true;
    const dailyStake = chosen.value === NONE ? null : chosen.value;
    const later = isWider(limits, dailyStake);
    if (await setLimits({ dailyStake })) toast(t(later ? 'limits.savedLater' : 'limits.saved'), 'good');
    busy.value = false;
  };
  // Choosing what holds now takes back a change that is to come.
  const changes = chosen.value !== now || limits.next !== undefined;
  return (
    <section class="sub limits">
      <h3>{t('limits.day')}</h3>
      <p>
        {limits.dailyStake === null
          ? t('limits.dayNone')
          : t('limits.dayNow', { limit: points(limits.dailyStake), staked: points(limits.stakedToday ?? '0') })}
      </p>
      {limits.next && (
        <p>
          {limits.next.dailyStake === null
            ? t('limits.nextNone', { at: moment(limits.next.from, locale.value) })
            : t('limits.next', { at: moment(limits.next.from, locale.value), limit: points(limits.next.dailyStake) })}
        </p>
      )}
      <div class="row">
        <select
          aria-label={t('limits.day')}
          value={chosen.value}
          onChange={(event) => (chosen.value = event.currentTarget.value)}
        >
          {dailyChoices(limits).map((choice) => (
            <option key={choice} value={choice}>
              {choice === NONE
                ? t('limits.none')
                : choice === '0'
                  ? t('limits.noBets')
                  : t('unit.points', { n: points(choice) })}
            </option>
          ))}
        </select>
        <Button tone="primary" busy={busy.value} disabled={!changes} onClick={() => void save()}>
          {t('ui.save')}
        </Button>
      </div>
      <p class="hint">{t('limits.dayHint')}</p>
    </section>
  );
}

/** The usual ones with the limit of now among them, in order; none last. */
function dailyChoices({ dailyStake }: OwnLimits): string[] {
  const all =
    dailyStake === null || DAILY_CHOICES.includes(dailyStake) ? DAILY_CHOICES : [...DAILY_CHOICES, dailyStake];
  return [...[...all].sort((a, b) => (BigInt(a) < BigInt(b) ? -1 : 1)), NONE];
}

function Rest({ limits }: { limits: OwnLimits }) {
  const hours = useSignal(24);
  const asked = useSignal(false);
  const busy = useSignal(false);
  const resting = restLeft(now.value) > 0 && limits.coolOffUntil !== undefined;
  const begin = async () => {
    busy.value = true;
    if (await setLimits({ coolOffHours: hours.value })) toast(t('limits.restDone'), 'good');
    busy.value = false;
    asked.value = false;
  };
  return (
    <section class="sub limits">
      <h3>{t('limits.rest')}</h3>
      {resting && limits.coolOffUntil !== undefined && (
        <p class="resting">{t('limits.restUntil', { at: moment(limits.coolOffUntil, locale.value) })}</p>
      )}
      <p class="hint">{t('limits.restHint')}</p>
      {asked.value ? (
        <>
          <p role="alert">{t('limits.restWarning', { time: restText(hours.value) })}</p>
          <div class="row">
            <Button onClick={() => (asked.value = false)}>{t('ui.cancel')}</Button>
            <Button tone="danger" busy={busy.value} onClick={() => void begin()}>
              {t('limits.restGo')}
            </Button>
          </div>
        </>
      ) : (
        <Field label={t('limits.restFor')}>
          {(id) => (
            <div class="row">
              <select
                id={id}
                value={hours.value}
                onChange={(event) => (hours.value = Number(event.currentTarget.value))}
              >
                {REST_HOURS.map((choice) => (
                  <option key={choice} value={choice}>
                    {restText(choice)}
                  </option>
                ))}
              </select>
              <Button onClick={() => (asked.value = true)}>
                {t(resting ? 'limits.restLonger' : 'limits.restStart')}
              </Button>
            </div>
          )}
        </Field>
      )}
    </section>
  );
}

function restText(hours: number): string {
  return hours < 48 ? t('limits.hours', { n: hours }) : t('limits.days', { n: hours / 24 });
}
