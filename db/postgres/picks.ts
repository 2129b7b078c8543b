import type { Pool } from 'pg';
import type { PlayerId, RaceId } from '../../lib/core/ids.ts';
import type { Receipt } from '../../lib/protocol.ts';
import { read } from './query.ts';
import { type ReceiptRow, receiptOf } from './receipt-rows.ts';

const CHOICES = `select s.what, s.number, c.kind, c.race_id, c.leaf, c.tag, c.nonce, c.command_id
  from (
    select 'pick' as what, p.race_id, p.horse as number, p.batch, p.ordinal from race_pick p where p.race_id = $1 and p.player_id = $2
    union all
    select 'vote', v.race_id, v.place, v.batch, v.ordinal from race_vote v where v.race_id = $1 and v.player_id = $2
  ) as s
  join ledger_command c on c.race_id = s.race_id and c.batch = s.batch and c.ordinal = s.ordinal`;

type ChoiceRow = ReceiptRow & { what: 'pick' | 'vote'; number: number | null; kind: string };

export type Choices = {
  /** A horse of null is drawn from K: made by the server, so there is no receipt. */
  readonly pick?: { readonly horse: number | null; readonly receipt?: Receipt };
  readonly vote?: { readonly place: number; readonly receipt?: Receipt };
};

/** A player's standing pick and vote in one race. */
export async function readChoicesOf(pool: Pool, raceId: RaceId, playerId: PlayerId): Promise<Choices> {
  const rows = await read<ChoiceRow>(pool, CHOICES, [raceId, playerId]);
  const pick = rows.find((row) => row.what === 'pick');
  const vote = rows.find((row) => row.what === 'vote');
  return {
    ...(pick && { pick: { horse: pick.number, ...(pick.kind === 'pick' && { receipt: receiptOf(pick) }) } }),
    ...(vote && vote.number !== null && { vote: { place: vote.number, receipt: receiptOf(vote) } }),
  };
}
