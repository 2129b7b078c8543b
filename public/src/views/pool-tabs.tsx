import { t } from '../i18n/index.ts';
import type { Pool } from '../types.ts';

type Props = { readonly pools: readonly Pool[]; readonly value: Pool; readonly onChange: (pool: Pool) => void };

/** All pools of the race in sight, in as many lines as their names need. */
export function PoolTabs({ pools, value, onChange }: Props) {
  return (
    <div class="segments pool-tabs" role="group" aria-label={t('pool.label')}>
      {pools.map((pool) => (
        <button key={pool} type="button" aria-pressed={pool === value} onClick={() => onChange(pool)}>
          {t(`pool.${pool}`)}
        </button>
      ))}
    </div>
  );
}
