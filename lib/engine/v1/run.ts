import type { FinishedHorse, Simulation, Track } from '../types.ts';
import { TRACK_LENGTH_MM, TUNING, type Tuning } from './constants.ts';
import type { Plan } from './plan.ts';

/*
 * Lengths in mm unless named, speeds in mm/s, times in ms. They stand here and not beside the tuning because imported
 * bindings cost this loop five times its own time under some bundlers and loaders.
 */
const TICK_MS = 50;
/** One keyframe every five ticks. */
const KEYFRAME_TICKS = 5;
/** Nobody is on the course longer: from a late start at `MIN_SPEED` the long track takes 53 s. */
const MAX_TICKS = 1_200;
/** Horses run on this long after the last finish, so that the picture does not freeze at the line. */
const RUN_OUT_MS = 2_000;
/** Out of the gates, no horse wants less than this: the floor that brings everybody home. */
const MIN_SPEED = 13_500;
const MAX_SPEED = 19_500;
/** Gain per tick: out of the gates, and from `LAUNCHED` on (a loss is never faster either). */
const LAUNCH_STEP = 350;
const LAUNCHED = 13_000;
const PACE_STEP = 160;
/** Past the line: loss per tick, down to a canter. */
const PULL_UP_STEP = 30;
const CANTER = 9_000;
/** A follower is in the slipstream from this far behind… */
const SLIPSTREAM_NEAR_UM = 1_500_000;
/** …to this far. What it gives: speed, and effort saved (speed that need not be pushed). */
const SLIPSTREAM_FAR_UM = 7_000_000;
const DRAFT_SPEED = 90;
const DRAFT_SAVING = 20;
/** Keeping a position: one mm/s for each so many µm off the wanted one, and its limit. */
const KEEP_UM = 3_500;
const KEEP_LIMIT = 450;
/** Extra mm of spurt for a point of stamina. */
const STAMINA_SPURT = 150;
/** No spurt begins less than this after the last third did. */
const SPURT_RESERVE = 4_000;

type Runner = {
  readonly plan: Plan;
  /** µm run; mm/s times ms is µm, so no step is ever rounded */
  posUm: number;
  /** mm/s */
  speed: number;
  section: number;
  /** µm at which the next section begins */
  sectionEndUm: number;
  /** µm given up (positive) or gained by pushing for a position */
  savedUm: number;
  /** µm at which the spurt begins; -1 = not decided yet */
  spurtAtUm: number;
  sheltered: boolean;
  /** 0 = still running */
  finishMs: number;
};

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

function place(runners: readonly Runner[]): FinishedHorse[] {
  const home = runners.map((runner) => ({ number: runner.plan.number, finishMs: runner.finishMs }));
  home.sort((a, b) => a.finishMs - b.finishMs || a.number - b.number);
  return home.map((horse) => ({ ...horse, place: 1 + home.filter((other) => other.finishMs < horse.finishMs).length }));
}

/** Who runs in another's slipstream, judged for all from the same instant. */
function shelter(runners: readonly Runner[]): void {
  for (const runner of runners) {
    const near = runner.posUm + SLIPSTREAM_NEAR_UM;
    const far = runner.posUm + SLIPSTREAM_FAR_UM;
    runner.sheltered = runners.some((other) => other.posUm >= near && other.posUm <= far);
  }
}

/** The last third: a spurt over the last metres, the longer the more was saved. */
function spurtStart(runner: Runner, tuning: Tuning, lengthUm: number): number {
  const lengthMm =
    tuning.spurtLength +
    runner.plan.stamina * STAMINA_SPURT +
    Math.floor((Math.floor(runner.savedUm / 1_000) * tuning.savingPermille) / 1_000);
  return lengthUm - clamp(lengthMm, 0, Math.floor(lengthUm / 3_000) - SPURT_RESERVE) * 1_000;
}

/** Speed the runner wants in this tick, from the positions at the end of the tick before; books what keeping its place costs or saves. */
function wantedSpeed(runner: Runner, leadUm: number, tuning: Tuning, lengthUm: number): number {
  const { plan } = runner;
  let wanted = plan.noise[runner.section] ?? 0;
  if (runner.posUm * 3 < lengthUm * 2) {
    const offUm = leadUm - runner.posUm - plan.wantedGapUm;
    const keep = clamp(Math.floor(offUm / KEEP_UM), -KEEP_LIMIT, KEEP_LIMIT);
    wanted += plan.cruise + keep;
    runner.savedUm -= keep * TICK_MS;
    if (runner.sheltered) {
      wanted += DRAFT_SPEED;
      runner.savedUm += DRAFT_SAVING * TICK_MS;
    }
  } else {
    if (runner.spurtAtUm < 0) runner.spurtAtUm = spurtStart(runner, tuning, lengthUm);
    wanted += runner.posUm >= runner.spurtAtUm ? plan.finish + tuning.spurt : plan.finish;
  }
  return clamp(wanted, MIN_SPEED, MAX_SPEED);
}

function step(runner: Runner, wanted: number, tickEndMs: number, lengthUm: number, sectionUm: number): void {
  const gain = runner.speed < LAUNCHED ? LAUNCH_STEP : PACE_STEP;
  runner.speed += clamp(wanted - runner.speed, -PACE_STEP, gain);
  const movedMs = Math.min(TICK_MS, tickEndMs - runner.plan.reactionMs);
  const before = runner.posUm;
  runner.posUm += runner.speed * movedMs;
  if (runner.posUm >= lengthUm) {
    // Within the tick the speed is constant, so the crossing is exact; a started millisecond counts.
    runner.finishMs = tickEndMs - movedMs + Math.floor((lengthUm - before + runner.speed - 1) / runner.speed);
  }
  if (runner.posUm >= runner.sectionEndUm) {
    runner.section += 1;
    runner.sectionEndUm += sectionUm;
  }
}

/**
 * Runs the plans to the finish and past it. All horses of a tick decide from the positions the tick before left, and
 * nothing looks at a gate's number, so exchanging two plans exchanges two results.
 */
export function runPlans(plans: readonly Plan[], track: Track): Simulation {
  const tuning = TUNING[track];
  const lengthUm = TRACK_LENGTH_MM[track] * 1_000;
  const sectionUm = Math.floor(lengthUm / tuning.sections);
  const runners = plans.map(
    (plan): Runner => ({
      plan,
      posUm: 0,
      speed: 0,
      section: 0,
      sectionEndUm: sectionUm,
      savedUm: 0,
      spurtAtUm: -1,
      sheltered: false,
      finishMs: 0,
    }),
  );
  const frames: number[][] = [plans.map(() => 0)];
  let running = runners.length;
  let durationMs = 0;
  for (
    let tick = 0;
    running > 0 || tick * TICK_MS < durationMs + RUN_OUT_MS || tick % KEYFRAME_TICKS !== 0;
    tick += 1
  ) {
    if (running > 0 && tick >= MAX_TICKS) throw new RangeError('a horse did not come home');
    const tickEndMs = (tick + 1) * TICK_MS;
    let leadUm = 0;
    for (const runner of runners) leadUm = Math.max(leadUm, runner.posUm);
    if (tick % KEYFRAME_TICKS === 0) shelter(runners);
    for (const runner of runners) {
      if (runner.finishMs > 0) {
        runner.speed = Math.max(runner.speed - PULL_UP_STEP, CANTER);
        runner.posUm += runner.speed * TICK_MS;
      } else if (tickEndMs > runner.plan.reactionMs) {
        step(runner, wantedSpeed(runner, leadUm, tuning, lengthUm), tickEndMs, lengthUm, sectionUm);
        if (runner.finishMs > 0) {
          running -= 1;
          durationMs = Math.max(durationMs, runner.finishMs);
        }
      }
    }
    if ((tick + 1) % KEYFRAME_TICKS === 0) frames.push(runners.map((runner) => Math.floor(runner.posUm / 1_000)));
  }
  const numbers = plans.map((plan) => plan.number);
  return { order: place(runners), durationMs, keyframes: { stepMs: 250, numbers, frames } };
}
