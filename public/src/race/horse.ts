import type { Silks } from '../types.ts';
import { COATS, PALETTE } from './palette.ts';

export type HorseLook = {
  readonly number: number;
  readonly silks: Silks;
  /** Runs as scenery: nobody picked it. */
  readonly faded: boolean;
};

type Point = { readonly x: number; readonly y: number };

/** Share of a stride by which each leg is behind: near hind, far hind, near fore, far fore. */
const LEGS: readonly { readonly hip: Point; readonly offset: number; readonly fore: boolean; readonly far: boolean }[] =
  [
    { hip: { x: -22, y: -32 }, offset: 0.12, fore: false, far: true },
    { hip: { x: 20, y: -31 }, offset: 0.62, fore: true, far: true },
    { hip: { x: -24, y: -32 }, offset: 0, fore: false, far: false },
    { hip: { x: 18, y: -31 }, offset: 0.5, fore: true, far: false },
  ];

/**
 * A runner of about 100 × 80 units, hooves at (x, y), looking right. `stride` counts strides; `pace` 0…1 is how far it
 * stretches (0: standing).
 */
export function drawHorse(
  context: CanvasRenderingContext2D,
  look: HorseLook,
  x: number,
  y: number,
  scale: number,
  stride: number,
  pace: number,
): void {
  const coat = COATS[(look.number - 1) % COATS.length] ?? { body: '#7a4a2b', dark: '#2c1a12' };
  const bob = Math.sin(stride * Math.PI * 2) * 2.2 * pace;
  const nod = Math.sin(stride * Math.PI * 2 + 0.9) * 4 * pace;
  context.save();
  context.translate(x, y);
  context.scale(scale, scale);
  if (look.faded) {
    context.globalAlpha = 0.38;
    context.filter = 'grayscale(1)';
  }
  context.fillStyle = PALETTE.shadow;
  context.beginPath();
  context.ellipse(2, 1, 40, 5, 0, 0, Math.PI * 2);
  context.fill();
  context.translate(0, bob);
  for (const leg of LEGS) if (leg.far) drawLeg(context, leg, stride, pace, coat.dark);
  drawBody(context, coat, stride, pace, nod);
  for (const leg of LEGS) if (!leg.far) drawLeg(context, leg, stride, pace, coat.body);
  drawCloth(context, look.number);
  drawJockey(context, look.silks, nod, pace);
  context.restore();
}

function drawLeg(
  context: CanvasRenderingContext2D,
  leg: (typeof LEGS)[number],
  stride: number,
  pace: number,
  colour: string,
): void {
  const turn = (stride + leg.offset) * Math.PI * 2;
  const swing = Math.sin(turn) * 0.95 * pace;
  const bend = Math.max(0, Math.cos(turn)) * 1.25 * pace * (leg.fore ? -1 : 1);
  const knee = { x: leg.hip.x + Math.sin(swing) * 16, y: leg.hip.y + Math.cos(swing) * 16 };
  const lower = swing + (leg.fore ? bend : -bend) * (leg.fore ? 1 : 0.8);
  const hoof = { x: knee.x + Math.sin(lower) * 16, y: knee.y + Math.cos(lower) * 16 };
  context.strokeStyle = colour;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.lineWidth = 6.5;
  context.beginPath();
  context.moveTo(leg.hip.x, leg.hip.y);
  context.lineTo(knee.x, knee.y);
  context.stroke();
  context.lineWidth = 3.8;
  context.beginPath();
  context.moveTo(knee.x, knee.y);
  context.lineTo(hoof.x, hoof.y);
  context.stroke();
}

function drawBody(
  context: CanvasRenderingContext2D,
  coat: { readonly body: string; readonly dark: string },
  stride: number,
  pace: number,
  nod: number,
): void {
  const lift = Math.sin(stride * Math.PI * 2 + 2) * 6 * pace;
  context.strokeStyle = coat.dark;
  context.lineWidth = 5;
  context.lineCap = 'round';
  context.beginPath();
  context.moveTo(-31, -42);
  context.quadraticCurveTo(-44 - pace * 6, -44 + lift, -46 - pace * 14, -28 - pace * 10 + lift);
  context.stroke();

  context.fillStyle = coat.body;
  context.beginPath();
  context.moveTo(-32, -42);
  context.bezierCurveTo(-26, -54, -6, -50, 6, -49);
  context.bezierCurveTo(16, -49, 22, -54, 28, -60 + nod * 0.4);
  context.lineTo(39, -71 + nod);
  context.lineTo(43, -75 + nod);
  context.lineTo(45, -70 + nod);
  context.lineTo(59, -58 + nod);
  context.quadraticCurveTo(60, -52 + nod, 54, -53 + nod);
  context.lineTo(43, -58 + nod);
  context.bezierCurveTo(36, -50 + nod * 0.4, 33, -42, 28, -34);
  context.bezierCurveTo(16, -25, -6, -27, -18, -27);
  context.bezierCurveTo(-30, -25, -36, -34, -32, -42);
  context.fill();

  context.strokeStyle = coat.dark;
  context.lineWidth = 4;
  context.beginPath();
  context.moveTo(40, -73 + nod);
  context.quadraticCurveTo(27, -67 + nod * 0.6, 18, -52);
  context.stroke();
  context.fillStyle = PALETTE.ink;
  context.beginPath();
  context.arc(47, -65 + nod, 1.5, 0, Math.PI * 2);
  context.fill();
}

function drawCloth(context: CanvasRenderingContext2D, number: number): void {
  context.fillStyle = '#fffdf6';
  context.strokeStyle = 'rgba(24, 38, 31, 0.5)';
  context.lineWidth = 1;
  context.beginPath();
  context.roundRect(-17, -50, 23, 19, 3);
  context.fill();
  context.stroke();
  context.fillStyle = PALETTE.ink;
  context.font = '800 16px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.fillText(String(number), -5.5, -40);
}

function drawJockey(context: CanvasRenderingContext2D, silks: Silks, nod: number, pace: number): void {
  const [ground, figure] = silks.colours;
  const lean = 6 + pace * 6;
  context.strokeStyle = '#fffdf6';
  context.lineWidth = 6;
  context.lineCap = 'round';
  context.beginPath();
  context.moveTo(-6, -56);
  context.lineTo(4, -50);
  context.stroke();

  context.save();
  context.beginPath();
  context.moveTo(-11, -56);
  context.quadraticCurveTo(-10, -68, lean - 2, -72);
  context.lineTo(lean + 8, -66);
  context.quadraticCurveTo(6, -58, 0, -53);
  context.closePath();
  context.fillStyle = ground;
  context.fill();
  context.clip();
  drawFigure(context, silks.pattern, figure);
  context.restore();
  context.strokeStyle = silks.pattern === 'plain' ? figure : ground;
  context.lineWidth = 4.5;
  context.beginPath();
  context.moveTo(lean + 2, -67);
  context.lineTo(lean + 11, -58 + nod * 0.4);
  context.stroke();

  context.fillStyle = '#e8c39e';
  context.beginPath();
  context.arc(lean + 8, -73, 4.6, 0, Math.PI * 2);
  context.fill();
  context.fillStyle = silks.pattern === 'plain' ? figure : ground;
  context.beginPath();
  context.arc(lean + 7, -75, 5.6, Math.PI * 0.95, Math.PI * 2.05);
  context.lineTo(lean + 16, -74.5);
  context.fill();
}

function drawFigure(context: CanvasRenderingContext2D, pattern: Silks['pattern'], colour: string): void {
  context.fillStyle = colour;
  if (pattern === 'stripes') for (let x = -12; x < 22; x += 7) context.fillRect(x, -76, 3.2, 26);
  if (pattern === 'hoops') for (let y = -74; y < -50; y += 7) context.fillRect(-14, y, 36, 3.2);
  if (pattern === 'quarters') {
    context.fillRect(-14, -78, 16, 14);
    context.fillRect(2, -64, 20, 14);
  }
  if (pattern === 'sash') {
    context.beginPath();
    context.moveTo(-12, -74);
    context.lineTo(-5, -76);
    context.lineTo(12, -54);
    context.lineTo(4, -52);
    context.fill();
  }
  if (pattern === 'spots') {
    for (const [x, y] of [
      [-6, -58],
      [2, -64],
      [9, -69],
      [-3, -67],
      [5, -57],
    ] as const) {
      context.beginPath();
      context.arc(x, y, 2.1, 0, Math.PI * 2);
      context.fill();
    }
  }
}
