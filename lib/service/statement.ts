import type { StatementCursor, Statements } from '../ports.ts';
import type { Payload, Reply } from '../protocol.ts';
import type { Caller } from './caller.ts';
import { ledgerRead } from './ledger-errors.ts';

export type StatementDeps = { readonly statements: Pick<Statements, 'entries' | 'bets'> };

/** What moved a player's points, and what became of their bets: page by page, newest first. */
export function createStatementService({ statements }: StatementDeps) {
  return {
    /**
     * A settlement may bring an entry in below some that were read already. Then the reader begins anew: no entry is left out,
     * none is there twice, and the balances of all pages belong together.
     */
    async entries(caller: Caller, { before }: Payload<'wallet:history'>): Promise<Reply<'wallet:history'>> {
      const page = await ledgerRead(statements.entries(caller.playerId, before === undefined ? null : parsed(before)));
      if (!page.unchanged) {
        const first = await ledgerRead(statements.entries(caller.playerId, null));
        return { ...shown(first), restarted: true };
      }
      return shown(page);
    },

    async bets(caller: Caller, { before }: Payload<'bet:history'>): Promise<Reply<'bet:history'>> {
      const { bets, next } = await ledgerRead(
        statements.bets(caller.playerId, before === undefined ? null : BigInt(before)),
      );
      return { bets, ...(next !== null && { next: next.toString() }) };
    },
  };
}

function shown({ entries, next }: Awaited<ReturnType<Statements['entries']>>): Reply<'wallet:history'> {
  return { entries, ...(next !== null && { next: `${next.last}.${next.newest}.${next.balance}` }) };
}

function parsed(cursor: string): StatementCursor {
  const [last = '0', newest = '0', balance = '0'] = cursor.split('.');
  return { last: BigInt(last), newest: BigInt(newest), balance: BigInt(balance) };
}
