import { inLocale, t } from '../i18n/index.ts';
import type { Runner } from '../types.ts';
import { SilksIcon } from '../ui/silks.tsx';

/** Number, silks, name, and where the field is unequal: style and form. */
export function RunnerName({ runner, plain }: { runner: Runner; plain?: boolean }) {
  return (
    <span class="runner">
      <b class="cloth">{runner.number}</b>
      <SilksIcon silks={runner.silks} id={`r${runner.number}`} />
      <span class="runner-text">
        <strong>{inLocale(runner.name)}</strong>
        {!plain && (
          <small>
            {t(`style.${runner.style}`)} · <abbr title={t('runner.form')}>{runner.form.join('-')}</abbr>
          </small>
        )}
      </span>
    </span>
  );
}
