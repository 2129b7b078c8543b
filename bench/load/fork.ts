import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Order, Told } from './bettors.ts';

/** A process of bettors. `tell` resolves with what it measured, null for orders that measure nothing. */
export function forkBettors(): { tell(order: Order): Promise<Told | null>; close(): void } {
  const child: ChildProcess = fork(fileURLToPath(new URL('./bettors.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
  });
  return {
    tell: (order) =>
      new Promise((resolve, reject) => {
        child.once('message', (message: { told: Told | null } | { failed: string }) => {
          if ('failed' in message) reject(new Error(message.failed));
          else resolve(message.told);
        });
        child.send(order);
      }),
    close: () => child.kill(),
  };
}
