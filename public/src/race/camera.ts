/** Where the picture looks. Lengths in metres; `left` is the place at the left edge. */
export type Camera = { readonly left: number; readonly width: number };

/** The leaders run at this share of the width, so that there is something ahead of them to see. */
const LEAD_AT = 0.68;
/** The gates stand here, and the line is at the end. */
const GATE_AT = 0.3;
const LINE_AT = 0.7;
const WIDEST = 1.6;

/** The camera's aim for these positions: it follows the leaders, opens a little when they are far apart, and stops at the line. */
export function aim(positions: readonly number[], trackLength: number, baseWidth: number): Camera {
  const ahead = positions.toSorted((a, b) => b - a);
  const leader = Math.min(ahead[0] ?? 0, trackLength);
  const fourth = ahead[Math.min(3, ahead.length - 1)] ?? leader;
  const spread = Math.min(Math.max(0, leader - fourth), trackLength);
  const width = Math.min(baseWidth * WIDEST, Math.max(baseWidth, spread * 1.5 + baseWidth * 0.35));
  const left = leader - width * LEAD_AT;
  return { left: Math.min(Math.max(left, -width * GATE_AT), trackLength - width * LINE_AT), width };
}

/** What has gone by for the camera: of a race that is played faster than the clock, the race's own time. */
export function flowMs(clockMs: number, raceMs: number): number {
  return Math.max(clockMs, raceMs);
}

/** Moves towards the aim; half of the way in about a fifth of a second, whatever the frame rate. Far off: at once. */
export function follow(from: Camera | null, to: Camera, elapsedMs: number): Camera {
  if (from === null || Math.abs(to.left - from.left) > to.width * 1.5) return to;
  const share = 1 - Math.exp(-Math.max(0, elapsedMs) / 280);
  return { left: from.left + (to.left - from.left) * share, width: from.width + (to.width - from.width) * share };
}
