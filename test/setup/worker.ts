import { afterAll } from 'vitest';
import { stopSharedPostgres } from '../helpers/postgres.ts';

// Every test file runs in a context of its own: what it started ends with it.
afterAll(async () => {
  await stopSharedPostgres();
});
