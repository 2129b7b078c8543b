import type { CommandId, RaceId } from '../../lib/core/ids.ts';
import type { Receipt } from '../../lib/protocol.ts';

/** Columns of ledger_command that make a receipt. */
export type ReceiptRow = { race_id: RaceId; leaf: Buffer; tag: Buffer; nonce: Buffer; command_id: CommandId };

export function receiptOf(row: ReceiptRow): Receipt {
  return {
    raceId: row.race_id,
    leaf: row.leaf.toString('hex'),
    tag: row.tag.toString('hex'),
    nonce: row.nonce.toString('hex'),
    commandId: row.command_id,
  };
}
