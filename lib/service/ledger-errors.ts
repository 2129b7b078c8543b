import { refuse } from '../errors.ts';
import { UnavailableError } from '../ports.ts';

/** For questions: away is away, nothing can have happened. */
export async function ledgerRead<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UnavailableError) throw refuse('LEDGER_UNAVAILABLE', {}, error);
    throw error;
  }
}

/** For commands: says where the outcome is not known, so that the client repeats the same id until it is answered. */
export async function ledgerWrite<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    throw refuse('LEDGER_UNAVAILABLE', error.outcome === 'unknown' ? { outcome: 'unknown' } : {}, error);
  }
}
