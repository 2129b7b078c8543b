/**
 * Every limit of the domain with its reason. Each is a setting (`env`); tests and benchmarks raise limits only that way.
 * `default`, `min` and `max` are integers in `unit`.
 */
type Limit = {
  readonly env: string;
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly reason: string;
};

const limit = (env: string, value: number, min: number, max: number, unit: string, reason: string): Limit => ({
  env,
  default: value,
  min,
  max,
  unit,
  reason,
});

export const LIMITS = {
  messageBytes: limit(
    'MAX_MESSAGE_BYTES',
    32_768,
    4_096,
    1_048_576,
    'bytes',
    'the largest honest request is under 2 KB',
  ),
  requestsPerSecond: limit('REQUESTS_PER_SECOND', 20, 1, 1_000_000, 'requests/s', 'a player cannot tap faster'),
  requestBurst: limit(
    'REQUEST_BURST',
    40,
    1,
    1_000_000,
    'requests',
    'opening a room asks for several things at once; never less than a second of REQUESTS_PER_SECOND',
  ),
  chatPerSecond: limit('CHAT_PER_SECOND', 5, 1, 1_000_000, 'messages/s', 'above it nobody reads'),
  betsPerSecond: limit('BETS_PER_SECOND', 10, 1, 1_000_000, 'bets/s', 'a slip of several bets is sent in one go'),
  roomsPerMinute: limit('ROOMS_PER_MINUTE', 5, 1, 1_000_000, 'rooms/min', 'a room costs a row, a log and a lobby card'),
  findsPerMinute: limit(
    'FINDS_PER_MINUTE',
    15,
    1,
    1_000_000,
    'requests/min',
    'share codes must not be guessed; counted by address',
  ),
  passwordsPerMinute: limit(
    'PASSWORDS_PER_MINUTE',
    5,
    1,
    1_000_000,
    'wrong passwords/min',
    'counted by address and room, wrong ones only',
  ),
  connectionsPerAddress: limit(
    'CONNECTIONS_PER_ADDRESS',
    200,
    1,
    1_000_000,
    'connections',
    'an office or a school is one address',
  ),
  connectionsPerPlayer: limit('CONNECTIONS_PER_PLAYER', 4, 1, 100, 'connections', 'phone, laptop, and a tab or two'),
  livingRoomsPerPlayer: limit('LIVING_ROOMS_PER_PLAYER', 5, 1, 1_000_000, 'rooms', 'nobody hosts more at a time'),
  newPlayersPerAddressAndDay: limit(
    'NEW_PLAYERS_PER_ADDRESS_AND_DAY',
    30,
    1,
    1_000_000,
    'players',
    'that one and later ones start at 0 and wait for the daily allowance',
  ),
  spectatorsPerRoom: limit(
    'SPECTATORS_PER_ROOM',
    200,
    0,
    10_000,
    'spectators',
    'they cost deliveries and do not count towards capacity',
  ),
  chatCharacters: limit('CHAT_CHARACTERS', 200, 1, 2_000, 'characters', 'a message is a line, not a letter'),
  startPoints: limit('START_POINTS', 10_000, 0, 1_000_000_000, 'points', 'a hundred units to begin with'),
  dailyPoints: limit('DAILY_POINTS', 2_000, 0, 1_000_000_000, 'points', 'enough for an evening of small bets'),
  reliefPoints: limit(
    'RELIEF_POINTS',
    1_000,
    0,
    1_000_000_000,
    'points',
    'whoever has less, open stakes counted, may ask to be filled up to it; ten units to come back with',
  ),
  reliefEveryHours: limit('RELIEF_EVERY_HOURS', 4, 0, 8_760, 'h', 'a break between losing all and going on'),
  seatSeconds: limit('SEAT_SECONDS', 60, 1, 3_600, 's', 'a lift, a tunnel, a page reload'),
  roomQueue: limit(
    'ROOM_QUEUE',
    256,
    8,
    100_000,
    'commands',
    'waiting commands of a room in one process; above it OVERLOADED',
  ),
  unarchivedEntries: limit(
    'UNARCHIVED_ENTRIES',
    10_000,
    100,
    1_000_000,
    'entries',
    'a room whose archive lags this far takes no chat',
  ),
  readerPackets: limit(
    'READER_PACKETS',
    256,
    8,
    100_000,
    'packets',
    'a client that does not read is cut and resumes by seq',
  ),
  readerBytes: limit('READER_BYTES', 1_048_576, 65_536, 1_073_741_824, 'bytes', 'write buffer of one client'),
  ledgerQueue: limit('LEDGER_QUEUE', 20_000, 100, 1_000_000, 'items', 'bets waiting for a batch; above it OVERLOADED'),
  ledgerAnswerMs: limit(
    'LEDGER_ANSWER_MS',
    250,
    50,
    60_000,
    'ms',
    'a ledger that does not respond is told to the player after this, and so within 300 ms with the way there and back',
  ),
  ledgerQueueMs: limit('LEDGER_QUEUE_MS', 2_000, 100, 60_000, 'ms', 'longest wait in our own queue'),
  requestDeadlineMs: limit(
    'REQUEST_DEADLINE_MS',
    5_000,
    500,
    60_000,
    'ms',
    'clients give up an unanswered command after it',
  ),
} as const satisfies Record<string, Limit>;

export type LimitKey = keyof typeof LIMITS;
export type Limits = Readonly<Record<LimitKey, number>>;
