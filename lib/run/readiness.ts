export type NotReady = 'starting' | 'draining' | 'database' | 'server-time' | 'instance-lock';

/** Whether this process should be given players, and if not, why. `checks` say what must be so besides. */
export function createReadiness(checks: Readonly<Record<Exclude<NotReady, 'starting' | 'draining'>, () => boolean>>) {
  let state: 'starting' | 'started' | 'draining' = 'starting';
  return {
    started(): void {
      state = 'started';
    },
    drain(): void {
      state = 'draining';
    },
    /** Empty when it is ready. */
    notReady(): readonly NotReady[] {
      const failed = (Object.keys(checks) as (keyof typeof checks)[]).filter((name) => !checks[name]());
      return state === 'started' ? failed : [state, ...failed];
    },
  };
}
