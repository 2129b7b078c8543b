import { type DecodedChunk, positionsAt } from '../../../lib/engine/index.ts';
import { aim, type Camera, flowMs, follow } from './camera.ts';
import { createDust } from './dust.ts';
import { drawHorse, type HorseLook } from './horse.ts';
import { PALETTE } from './palette.ts';
import {
  drawForeground,
  drawGates,
  drawScenery,
  type Frame,
  pixelsPerMetre,
  screenX,
  trackBottom,
  trackTop,
} from './scenery.ts';

export type Scene = {
  readonly looks: readonly HorseLook[];
  /** metres */
  readonly trackLength: number;
  readonly chunks: readonly DecodedChunk[];
  /** race time; negative before the gates open, null while there is no start yet */
  readonly raceMs: number | null;
  /** the player's own horses, marked by an arrow */
  readonly mine: readonly number[];
  readonly calm: boolean;
};

const METRES_PER_STRIDE = 6.4;
const WIDE_METRES = 36;
const NARROW_METRES = 22;

/** Paints scenes on one canvas and remembers what flows from one picture to the next: the camera and the dust. */
export function createPainter(canvas: HTMLCanvasElement) {
  const context = canvas.getContext('2d');
  const dust = createDust();
  let camera: Camera | null = null;
  let lastMs = 0;
  let lastRaceMs = 0;

  function size(): { width: number; height: number } {
    const { clientWidth: width, clientHeight: height } = canvas;
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    context?.setTransform(ratio, 0, 0, ratio, 0, 0);
    return { width, height };
  }

  return {
    paint(scene: Scene): void {
      if (context === null) return;
      const { width, height } = size();
      if (width === 0 || height === 0) return;
      const nowMs = performance.now();
      const at =
        scene.raceMs === null ? new Map<number, number>() : positionsAt(scene.chunks, Math.max(0, scene.raceMs));
      const metres = scene.looks.map((look) => (at.get(look.number) ?? 0) / 1_000);
      const baseWidth = width < 560 ? NARROW_METRES : WIDE_METRES;
      const raceMs = Math.max(0, scene.raceMs ?? 0);
      camera = follow(camera, aim(metres, scene.trackLength, baseWidth), flowMs(nowMs - lastMs, raceMs - lastRaceMs));
      lastMs = nowMs;
      lastRaceMs = raceMs;
      const frame: Frame = { context, width, height, camera, trackLength: scene.trackLength, calm: scene.calm };
      drawScenery(frame);
      drawRunners(frame, scene, metres, nowMs);
      drawForeground(frame);
      drawMap(frame, scene, metres);
    },
  };

  function drawRunners(frame: Frame, scene: Scene, metres: readonly number[], nowMs: number): void {
    const top = trackTop(frame);
    const bottom = trackBottom(frame);
    const lanes = Math.max(1, scene.looks.length);
    const laneY = (index: number): number => top + ((index + 0.9) * (bottom - top - 4)) / lanes;
    const running = scene.raceMs !== null && scene.raceMs > 0;
    const scale = Math.min(1.1, (pixelsPerMetre(frame) * 4.2) / 100, frame.height / 300);
    scene.looks.forEach((look, index) => {
      const x = metres[index] ?? 0;
      const near = 0.86 + (0.2 * index) / lanes;
      const px = screenX(frame, x) - 56 * scale * near;
      const pace = running && x > 0 ? Math.min(1, 0.25 + x / 14) : 0;
      if (running && !scene.calm && !look.faded && x > 0) dust.raise(x, laneY(index), nowMs, 0.25);
      if (px < -120 || px > frame.width + 120) return;
      const stride = scene.calm ? 0.15 : x / METRES_PER_STRIDE + index * 0.17;
      drawHorse(frame.context, look, px, laneY(index), scale * near, stride, pace);
      if (scene.mine.includes(look.number)) drawArrow(frame, px, laneY(index) - 88 * scale * near);
    });
    if (!scene.calm) dust.draw(frame, nowMs);
    const numbers = scene.looks.map((look) => look.number);
    drawGates(frame, numbers, laneY, running);
  }
}

function drawArrow({ context }: Frame, x: number, y: number): void {
  context.fillStyle = '#ffd35c';
  context.strokeStyle = PALETTE.ink;
  context.lineWidth = 1.2;
  context.beginPath();
  context.moveTo(x - 6, y - 10);
  context.lineTo(x + 6, y - 10);
  context.lineTo(x, y - 1);
  context.closePath();
  context.fill();
  context.stroke();
}

/** The whole course as a line with a dot for each runner. */
function drawMap(frame: Frame, scene: Scene, metres: readonly number[]): void {
  const { context, width } = frame;
  const left = 16;
  const right = width - 16;
  const y = 16;
  context.lineCap = 'round';
  context.strokeStyle = 'rgba(24, 38, 31, 0.35)';
  context.lineWidth = 5;
  context.beginPath();
  context.moveTo(left, y);
  context.lineTo(right, y);
  context.stroke();
  context.fillStyle = PALETTE.ink;
  context.fillRect(right - 1, y - 7, 2, 14);
  scene.looks.forEach((look, index) => {
    const share = Math.min(1, (metres[index] ?? 0) / scene.trackLength);
    const own = scene.mine.includes(look.number);
    context.globalAlpha = look.faded ? 0.35 : 1;
    context.fillStyle = look.silks.colours[0];
    context.strokeStyle = own ? '#ffd35c' : PALETTE.ink;
    context.lineWidth = own ? 2.5 : 1;
    context.beginPath();
    context.arc(left + (right - left) * share, y, own ? 6 : 4.5, 0, Math.PI * 2);
    context.fill();
    context.stroke();
    context.globalAlpha = 1;
  });
}
