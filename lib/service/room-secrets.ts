import { createHash, createHmac, randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto';
import type { CommandId, Epoch, MessageId, PlayerId, RoomId } from '../core/ids.ts';
import type { Role } from '../core/room-state.ts';
import { refuse } from '../errors.ts';

/** What a seat ticket says: its holder may sit down again after a restart or in a split, unless kicked since. */
export type SeatTicket = {
  readonly roomId: RoomId;
  /** The life of the room's log it was given in. */
  readonly epoch: Epoch;
  readonly playerId: PlayerId;
  readonly role: Role;
  readonly joinedAt: number;
  readonly issuedAt: number;
};

/** No 0/O, 1/I/L: codes are read out and typed. 31 letters. */
const CODE_LETTERS = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
const CODE_LENGTH = 6;
/** scrypt with 16 MiB: about 50 ms, off the event loop. */
const SCRYPT = { N: 16_384, r: 8, p: 1 } as const;
/** Of the four threads that files, names and hashes share in a process; so everything else that needs one still gets it. */
const HASHES_AT_ONCE = 2;
const MOST_HASHES_WAITING = 100;

let hashing = 0;
const waiting: (() => void)[] = [];

/** Everything of rooms that is signed, derived or hashed with the server's secret. */
export function createRoomSecrets(secret: Uint8Array) {
  const derive = (...parts: readonly string[]): Buffer => {
    const mac = createHmac('sha256', secret);
    for (const part of parts) mac.update(`${Buffer.byteLength(part)}:${part}`);
    return mac.digest();
  };

  return {
    /** The same command makes the same room, on any instance. */
    roomId(playerId: PlayerId, commandId: CommandId): RoomId {
      return `r${derive('room', playerId, commandId).toString('base64url').slice(0, 21)}` as RoomId;
    },
    /** `life` counts the rooms of this number from 1, each after the one before was closed. */
    houseRoomId(number: number, life: number): RoomId {
      return `r${derive('house-room', String(number), ...(life === 1 ? [] : [String(life)]))
        .toString('base64url')
        .slice(0, 21)}` as RoomId;
    },
    /** Stands for the room's password in a link; another password, another key. */
    inviteKey(roomId: RoomId, passwordHash: string): string {
      return derive('invite', roomId, passwordHash).toString('base64url').slice(0, 22);
    },
    sealSeat(ticket: SeatTicket): string {
      const body = Buffer.from(
        JSON.stringify([ticket.roomId, ticket.epoch, ticket.playerId, ticket.role, ticket.joinedAt, ticket.issuedAt]),
      ).toString('base64url');
      return `${body}.${derive('seat', body).toString('base64url')}`;
    },
    /** null: not ours, or not readable. */
    openSeat(sealed: string): SeatTicket | null {
      const [body, mac] = sealed.split('.');
      if (!body || !mac || !sameText(mac, derive('seat', body).toString('base64url'))) return null;
      const [roomId, epoch, playerId, role, joinedAt, issuedAt] = JSON.parse(
        Buffer.from(body, 'base64url').toString(),
      ) as [RoomId, Epoch, PlayerId, Role, number, number];
      return { roomId, epoch, playerId, role, joinedAt, issuedAt };
    },
  };
}
export type RoomSecrets = ReturnType<typeof createRoomSecrets>;

/** The same message id for a repeated command in every epoch and in the archive. */
export function messageIdOf(playerId: PlayerId, commandId: CommandId): MessageId {
  return createHash('sha256').update(`${playerId}\n${commandId}`).digest('base64url').slice(0, 22) as MessageId;
}

export function newRoomCode(): string {
  return Array.from({ length: CODE_LENGTH }, () => CODE_LETTERS.charAt(randomInt(CODE_LETTERS.length))).join('');
}

/** A code as people type it: any case, with blanks or dashes. */
export function normaliseRoomCode(typed: string): string {
  return typed.replace(/[\s-]/gu, '').toUpperCase();
}

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  return `scrypt:${salt.toString('base64url')}:${(await derivePassword(password, salt)).toString('base64url')}`;
}

export async function passwordMatches(password: string, stored: string): Promise<boolean> {
  const [, salt, hash] = stored.split(':');
  if (!salt || !hash) return false;
  return sameText((await derivePassword(password, Buffer.from(salt, 'base64url'))).toString('base64url'), hash);
}

export function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Rejects with OVERLOADED when more wait than could be answered within a request's deadline. */
async function derivePassword(password: string, salt: Buffer): Promise<Buffer> {
  if (hashing >= HASHES_AT_ONCE) {
    if (waiting.length >= MOST_HASHES_WAITING) throw refuse('OVERLOADED');
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else hashing += 1;
  try {
    return await new Promise((resolve, reject) => {
      scrypt(password.normalize('NFC'), salt, 32, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)));
    });
  } finally {
    // A place that is handed on stays taken.
    const next = waiting.shift();
    if (next === undefined) hashing -= 1;
    else next();
  }
}
