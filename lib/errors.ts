/**
 * The one catalogue of refusals. `retryable` says whether the same command may succeed later unchanged.
 * Texts are what a player reads; the page and the acknowledgement's `message` both come from here.
 */
export type Locale = 'ko' | 'en';
export const LOCALES: readonly Locale[] = ['ko', 'en'];

type Entry = { readonly retryable: boolean; readonly ko: string; readonly en: string };

export const ERRORS = {
  BAD_REQUEST: { retryable: false, ko: '잘못된 요청이에요.', en: 'The request is malformed.' },
  FORBIDDEN: { retryable: false, ko: '허용되지 않은 동작이에요.', en: 'That is not allowed.' },
  NOT_FOUND: { retryable: false, ko: '찾을 수 없어요.', en: 'Not found.' },
  NOT_MEMBER: { retryable: false, ko: '이 방에 들어와 있지 않아요.', en: 'You are not in this room.' },
  ROOM_FULL: { retryable: true, ko: '방이 가득 찼어요.', en: 'The room is full.' },
  ROOM_CLOSED: { retryable: false, ko: '이미 닫힌 방이에요.', en: 'The room has been closed.' },
  ROOM_LOCKED: { retryable: true, ko: '방장이 입장을 막아 두었어요.', en: 'The host has locked the room.' },
  SPECTATORS_OFF: { retryable: false, ko: '관전이 꺼진 방이에요.', en: 'This room takes no spectators.' },
  WRONG_PASSWORD: { retryable: false, ko: '비밀번호가 맞지 않아요.', en: 'The password is wrong.' },
  SLOW_MODE: {
    retryable: true,
    ko: '조금 천천히 말해 주세요.',
    en: 'Slow mode: wait a moment before the next message.',
  },
  NAME_INVALID: { retryable: false, ko: '쓸 수 없는 이름이에요.', en: 'That name cannot be used.' },
  NOT_HOST: { retryable: false, ko: '방장만 할 수 있어요.', en: 'Only the host can do that.' },
  NOT_READY: { retryable: false, ko: '이번 판에 참가 중이 아니에요.', en: 'You are sitting this round out.' },
  NOT_ENOUGH_PLAYERS: {
    retryable: true,
    ko: '참가자가 두 명은 있어야 해요.',
    en: 'At least two ready players are needed.',
  },
  NOT_ENOUGH_HORSES: {
    retryable: false,
    ko: '말이 참가자보다 적어요.',
    en: 'There are fewer horses than ready players.',
  },
  RACE_IN_PROGRESS: { retryable: true, ko: '경주가 아직 끝나지 않았어요.', en: 'A race is still in progress.' },
  IN_RACE: {
    retryable: true,
    ko: '이번 경주에 참가 중이라 바꿀 수 없어요.',
    en: 'You take part in a race that is not over.',
  },
  PHASE_CLOSED: { retryable: false, ko: '이 경주는 마감됐어요.', en: 'This race is closed.' },
  SELECTION_INVALID: { retryable: false, ko: '고를 수 없는 말이에요.', en: 'That selection is not possible.' },
  STAKE_INVALID: { retryable: false, ko: '100점 단위로 걸어 주세요.', en: 'Stake whole units of 100 points.' },
  INSUFFICIENT_POINTS: { retryable: false, ko: '점수가 모자라요.', en: 'You do not have enough points.' },
  LIMIT_REACHED: { retryable: false, ko: '한도에 다다랐어요.', en: 'A limit has been reached.' },
  COOL_OFF: {
    retryable: false,
    ko: '스스로 정한 휴식 시간이에요. 끝나면 다시 걸 수 있어요.',
    en: 'You asked for a break from betting. It is not over yet.',
  },
  FROZEN: {
    retryable: false,
    ko: '점검을 위해 잠시 멈춰 두었어요. 점수는 그대로 있어요.',
    en: 'This has been put on hold to be looked at. No points are lost.',
  },
  HORSE_TAKEN: { retryable: false, ko: '다른 사람이 먼저 골랐어요.', en: 'Somebody else has taken that horse.' },
  COMMAND_CONFLICT: {
    retryable: false,
    ko: '같은 요청 번호로 다른 내용이 왔어요.',
    en: 'That command id was used for something else.',
  },
  RATE_LIMITED: {
    retryable: true,
    ko: '너무 잦은 요청이에요. 잠시 뒤에 다시 해 주세요.',
    en: 'Too many requests; wait a moment.',
  },
  BUSY: { retryable: true, ko: '지금 방이 붐벼요. 다시 해 주세요.', en: 'The room is busy; try again.' },
  OVERLOADED: {
    retryable: true,
    ko: '서버가 붐벼요. 잠시 뒤에 다시 해 주세요.',
    en: 'The server is busy; try again shortly.',
  },
  LEDGER_UNAVAILABLE: {
    retryable: true,
    ko: '점수 장부에 잠시 닿지 않아요.',
    en: 'The ledger cannot be reached right now.',
  },
  TIMEOUT: { retryable: true, ko: '제때 처리하지 못했어요. 다시 해 주세요.', en: 'It took too long; try again.' },
  DRAINING: { retryable: true, ko: '서버를 다시 시작하는 중이에요.', en: 'The server is restarting.' },
  INTERNAL: { retryable: true, ko: '서버에 문제가 생겼어요.', en: 'Something went wrong on the server.' },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof ERRORS;

/** Why a connection is refused (`connect_error` with `data.code`). */
export const CONNECT_ERRORS = {
  BAD_TOKEN: {
    retryable: false,
    ko: '접속 정보가 만료됐어요. 새 손님으로 들어갈게요.',
    en: 'Your session has expired; you continue as a new guest.',
  },
  BAD_ORIGIN: { retryable: false, ko: '이 주소에서는 접속할 수 없어요.', en: 'This page may not connect here.' },
  TOO_MANY_CONNECTIONS: { retryable: true, ko: '연결이 너무 많아요.', en: 'There are too many connections.' },
  PROTOCOL_VERSION: {
    retryable: false,
    ko: '새 버전이 있어요. 새로고침해 주세요.',
    en: 'There is a new version; reload the page.',
  },
} as const satisfies Record<string, Entry>;

export type ConnectErrorCode = keyof typeof CONNECT_ERRORS;

export type Refusal = {
  readonly code: ErrorCode;
  readonly path?: string;
  readonly retryAfterMs?: number;
  /** 'unknown': the command may or may not have happened; the same id must be repeated until it is answered. */
  readonly outcome?: 'unknown';
  readonly data?: Readonly<Record<string, unknown>>;
};

/** A refusal on its way to the edge. Rules return `Refusal`s; services throw this so that a handler stays one line. */
export class RefusedError extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal, options?: { cause?: unknown }) {
    super(refusal.code, options);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

export function refuse(code: ErrorCode, more: Omit<Refusal, 'code'> = {}, cause?: unknown): RefusedError {
  return new RefusedError({ code, ...more }, cause === undefined ? undefined : { cause });
}

export function errorText(code: ErrorCode | ConnectErrorCode, locale: Locale): string {
  return { ...ERRORS, ...CONNECT_ERRORS }[code][locale];
}
