export type NotReady = 'draining' | 'database' | 'server-time' | 'instance-lock';

/** Whether this process, which listens only once it has started, should be given players, and if not, why. `checks` say what must be so. */
export function createReadiness(checks: Readonly<Record<Exclude<NotReady, 'draining'>, () => boolean>>) {
  let draining = false;
  return {
    drain(): void {
      draining = true;
    },
    /** Empty when it is ready. */
    notReady(): readonly NotReady[] {
      const failed = (Object.keys(checks) as (keyof typeof checks)[]).filter((name) => !checks[name]());
      return draining ? ['draining', ...failed] : failed;
    },
  };
}
