import { PALETTE } from './palette.ts';
import { type Frame, screenX } from './scenery.ts';

type Puff = { readonly metres: number; readonly y: number; readonly bornMs: number; readonly size: number };

const LIFE_MS = 900;
const MOST = 90;

/** Slow dust behind the hooves: decoration, so it may be random. */
export function createDust() {
  let puffs: Puff[] = [];
  return {
    raise(metres: number, y: number, nowMs: number, chance: number): void {
      if (puffs.length >= MOST || Math.random() > chance) return;
      puffs.push({
        metres: metres - 1.2 - Math.random(),
        y: y - Math.random() * 3,
        bornMs: nowMs,
        size: 1.5 + Math.random() * 2.2,
      });
    },
    draw(frame: Frame, nowMs: number): void {
      puffs = puffs.filter((puff) => nowMs - puff.bornMs < LIFE_MS && nowMs >= puff.bornMs);
      frame.context.fillStyle = PALETTE.dust;
      for (const puff of puffs) {
        const age = (nowMs - puff.bornMs) / LIFE_MS;
        frame.context.globalAlpha = 0.22 * (1 - age);
        frame.context.beginPath();
        frame.context.arc(screenX(frame, puff.metres), puff.y - age * 9, puff.size * (1 + age * 1.8), 0, Math.PI * 2);
        frame.context.fill();
      }
      frame.context.globalAlpha = 1;
    },
  };
}
