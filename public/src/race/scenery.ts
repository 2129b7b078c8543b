import type { Camera } from './camera.ts';
import { PALETTE } from './palette.ts';

export type Frame = {
  readonly context: CanvasRenderingContext2D;
  readonly width: number;
  readonly height: number;
  readonly camera: Camera;
  /** metres */
  readonly trackLength: number;
  readonly calm: boolean;
};

export const trackTop = (frame: Frame): number => Math.round(frame.height * 0.44);
export const trackBottom = (frame: Frame): number => Math.round(frame.height * 0.93);
export const pixelsPerMetre = (frame: Frame): number => frame.width / frame.camera.width;
export const screenX = (frame: Frame, metres: number): number => (metres - frame.camera.left) * pixelsPerMetre(frame);

/** Everything behind the horses. */
export function drawScenery(frame: Frame): void {
  drawSky(frame);
  drawHills(frame, 0.06, frame.height * 0.3, frame.height * 0.11, PALETTE.hillFar);
  drawHills(frame, 0.14, frame.height * 0.36, frame.height * 0.07, PALETTE.hillNear);
  drawStand(frame);
  drawHedge(frame);
  drawTurf(frame);
  drawRail(frame, trackTop(frame) - 3, 9);
  drawLine(frame);
}

/** What stands between the horses and us. */
export function drawForeground(frame: Frame): void {
  drawRail(frame, trackBottom(frame) + 3, 16);
}

function drawSky({ context, width, height }: Frame): void {
  const sky = context.createLinearGradient(0, 0, 0, height * 0.4);
  sky.addColorStop(0, PALETTE.skyTop);
  sky.addColorStop(1, PALETTE.skyLow);
  context.fillStyle = sky;
  context.fillRect(0, 0, width, height);
}

function drawHills(frame: Frame, speed: number, base: number, height: number, colour: string): void {
  const { context, width, camera, calm } = frame;
  const shift = calm ? 0 : camera.left * pixelsPerMetre(frame) * speed;
  context.fillStyle = colour;
  context.beginPath();
  context.moveTo(0, frame.height);
  for (let x = 0; x <= width + 12; x += 12) {
    const at = (x + shift) / 90;
    context.lineTo(x, base - height * (0.5 + 0.35 * Math.sin(at * 0.7) + 0.15 * Math.sin(at * 1.9 + 1)));
  }
  context.lineTo(width + 12, frame.height);
  context.fill();
}

/** A grandstand before the line; it comes into the picture with the last furlong. */
function drawStand(frame: Frame): void {
  const { context, height } = frame;
  const scale = pixelsPerMetre(frame) * 0.6;
  const left = screenX(frame, frame.trackLength) - 46 * scale + (frame.camera.left - frame.trackLength) * scale * 0.2;
  const width = 52 * scale;
  if (left > frame.width || left + width < 0) return;
  const base = trackTop(frame) - 4;
  const top = base - height * 0.25;
  context.fillStyle = PALETTE.stand;
  context.fillRect(left, top + 10, width, base - top - 10);
  context.fillStyle = PALETTE.standRoof;
  context.fillRect(left - 8, top, width + 16, 10);
  for (let row = 0; row < 4; row += 1) {
    const y = top + 20 + row * ((base - top - 24) / 4);
    for (let seat = 0; seat < 40; seat += 1) {
      const tint = (seat * 7 + row * 11) % 5;
      context.fillStyle = ['#c65b4b', '#3f6fa3', '#d9a441', '#f4efe2', '#4f7d5d'][tint] ?? '#f4efe2';
      context.fillRect(left + 4 + (seat * (width - 8)) / 40, y, Math.max(2, width / 90), 4);
    }
  }
}

function drawHedge(frame: Frame): void {
  const { context, width, camera, calm } = frame;
  const top = trackTop(frame);
  const shift = calm ? 0 : camera.left * pixelsPerMetre(frame) * 0.55;
  context.fillStyle = PALETTE.hedge;
  context.beginPath();
  context.moveTo(0, top);
  for (let x = 0; x <= width + 16; x += 8) {
    const bump = Math.abs(Math.sin((x + shift) / 22)) * 6;
    context.lineTo(x, top - 11 - bump);
  }
  context.lineTo(width + 16, top);
  context.fill();
}

function drawTurf(frame: Frame): void {
  const { context, width, height, camera } = frame;
  const top = trackTop(frame);
  context.fillStyle = PALETTE.turf;
  context.fillRect(0, top, width, height - top);
  context.fillStyle = PALETTE.turfLight;
  const first = Math.floor(camera.left / 10) * 10;
  for (let at = first; at < camera.left + camera.width; at += 20) {
    const from = at % 20 === 0 ? at : at + 10;
    const x = screenX(frame, from);
    const w = 10 * pixelsPerMetre(frame);
    context.beginPath();
    context.moveTo(x, top);
    context.lineTo(x + w, top);
    context.lineTo(x + w - 14, height);
    context.lineTo(x - 14, height);
    context.fill();
  }
  context.fillStyle = PALETTE.turfEdge;
  context.fillRect(0, top, width, 2);
  drawMarks(frame);
}

/** Posts every 100 m that tell what is left to run. */
function drawMarks(frame: Frame): void {
  const { context, camera, trackLength } = frame;
  const top = trackTop(frame);
  context.font = '700 11px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (let left = 100; left < trackLength; left += 100) {
    const metres = trackLength - left;
    if (metres < camera.left - 5 || metres > camera.left + camera.width + 5) continue;
    const x = screenX(frame, metres);
    context.fillStyle = 'rgba(255,255,255,0.45)';
    context.beginPath();
    context.moveTo(x - 1, top);
    context.lineTo(x + 1, top);
    context.lineTo(x - 13, frame.height);
    context.lineTo(x - 15, frame.height);
    context.fill();
    context.fillStyle = PALETTE.mark;
    context.fillRect(x - 1.5, top - 34, 3, 34);
    context.beginPath();
    context.roundRect(x - 16, top - 48, 32, 17, 4);
    context.fill();
    context.fillStyle = PALETTE.markText;
    context.fillText(String(left), x, top - 39);
  }
}

function drawRail(frame: Frame, y: number, postHeight: number): void {
  const { context, width, camera } = frame;
  context.fillStyle = PALETTE.railShade;
  for (let at = Math.floor(camera.left / 4) * 4; at < camera.left + camera.width + 4; at += 4) {
    context.fillRect(screenX(frame, at) - 1, y - postHeight + 2, 2, postHeight);
  }
  context.fillStyle = PALETTE.rail;
  context.fillRect(0, y - postHeight, width, postHeight > 12 ? 4 : 3);
}

function drawLine(frame: Frame): void {
  const { context } = frame;
  const x = screenX(frame, frame.trackLength);
  if (x < -40 || x > frame.width + 40) return;
  const top = trackTop(frame);
  const bottom = trackBottom(frame);
  const rows = 12;
  const step = (bottom - top) / rows;
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < 2; column += 1) {
      context.fillStyle = (row + column) % 2 === 0 ? '#ffffff' : PALETTE.ink;
      context.fillRect(x + column * 5 - row * 1.1, top + row * step, 5, step + 0.5);
    }
  }
  context.fillStyle = '#b3372b';
  context.beginPath();
  context.arc(x + 4, top - 50, 9, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = PALETTE.rail;
  context.fillRect(x + 2.5, top - 41, 3, 41);
}

/** The starting gates with their numbers, drawn over the horses' quarters until they have left. */
export function drawGates(
  frame: Frame,
  lanes: readonly number[],
  laneY: (index: number) => number,
  open: boolean,
): void {
  const { context } = frame;
  if (lanes.length === 0) return;
  const x = screenX(frame, 0);
  if (x < -90 || x > frame.width + 90) return;
  const first = laneY(0);
  const last = laneY(lanes.length - 1);
  context.fillStyle = PALETTE.gate;
  context.fillRect(x - 62, first - 46, 66, 8);
  context.font = '700 11px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  lanes.forEach((number, index) => {
    const y = laneY(index);
    context.fillStyle = PALETTE.gate;
    context.fillRect(x - 62, y - 40, 3, 42);
    context.fillRect(x + 1, y - 40, 3, 42);
    if (!open) {
      context.fillStyle = PALETTE.gateLight;
      context.fillRect(x + 1, y - 28, 4, 26);
      context.fillStyle = PALETTE.mark;
      context.beginPath();
      context.roundRect(x + 9, y - 21, 19, 15, 4);
      context.fill();
      context.fillStyle = PALETTE.markText;
      context.fillText(String(number), x + 18.5, y - 13);
    }
  });
  context.fillStyle = PALETTE.gate;
  context.fillRect(x - 62, last + 1, 66, 3);
}
