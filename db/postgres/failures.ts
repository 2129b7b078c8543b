import { DatabaseError } from 'pg';
import { UnavailableError } from '../../lib/ports.ts';

/** How far a call had come: 'connecting' has sent nothing yet, 'reading' has no effect whatever happens to it. */
export type Stage = 'connecting' | 'reading' | 'writing';

/**
 * SQLSTATEs of a server that cannot do it now, though nothing is wrong with the statement; it was rolled back.
 * 25006: read only, as a standby is. 25P03: idle in a transaction for too long. 40001, 40P01: serialization, deadlock.
 * 53…: out of something. 55P03: lock_timeout. 57014: statement_timeout. 57P03: starting up. 58…: the system below failed.
 */
const ROLLED_BACK = /^(25006|25P03|40001|40P01|53...|55P03|57014|57P03|58...)$/;

/** The connection was ended from the other side, perhaps between the commit and its acknowledgement. */
const CUT_OFF = /^(08...|57P0[1245])$/;

/** Words of pg for a client that was unusable before the statement could be sent. */
const NOT_SENT =
  /not queryable|Client was closed|after calling end|Connection terminated due to connection timeout|timeout exceeded when trying to connect/;

/**
 * What to tell of an error of the driver: an UnavailableError when the truth could not be reached in time, else the error
 * as it is (a fault of ours, or a constraint that the caller knows about).
 */
export function failureOf(error: unknown, stage: Stage): unknown {
  if (error instanceof UnavailableError) return error;
  if (error instanceof DatabaseError) {
    const code = error.code ?? '';
    if (stage === 'connecting') return unavailable(error, 'none');
    if (ROLLED_BACK.test(code)) return unavailable(error, 'none');
    if (CUT_OFF.test(code)) return unavailable(error, stage === 'reading' ? 'none' : 'unknown');
    return error;
  }
  if (!(error instanceof Error)) return error;
  if (stage !== 'connecting' && !isOfConnection(error)) return error;
  return unavailable(error, stage === 'writing' && !NOT_SENT.test(error.message) ? 'unknown' : 'none');
}

function unavailable(cause: Error, outcome: 'none' | 'unknown'): UnavailableError {
  return new UnavailableError(`PostgreSQL: ${cause.message || cause.name}`, outcome, { cause });
}

/** Errors of the socket carry a system code (ECONNRESET); those of pg itself only words. */
function isOfConnection(error: Error): boolean {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    /^E[A-Z]+$/.test(code) ||
    NOT_SENT.test(error.message) ||
    /Connection terminated|timeout|socket|stream/i.test(error.message)
  );
}

/** A lock was not to be had in time: the statement was rolled back whole. */
export function isLockTimeout(error: unknown): boolean {
  const cause = error instanceof UnavailableError ? error.cause : error;
  return cause instanceof Error && 'code' in cause && cause.code === '55P03';
}
