/** What outlives the page. Storage may be refused (private windows): then the session lasts as long as the tab. */
const memory = new Map<string, string>();

function read(store: () => Storage, key: string): string | null {
  try {
    return store().getItem(key);
  } catch {
    return memory.get(key) ?? null;
  }
}

function write(store: () => Storage, key: string, value: string | null): void {
  try {
    if (value === null) store().removeItem(key);
    else store().setItem(key, value);
  } catch {
    if (value === null) memory.delete(key);
    else memory.set(key, value);
  }
}

const local = (): Storage => localStorage;
/** Of this tab: two tabs may sit in two rooms. */
const tab = (): Storage => sessionStorage;

export const storedToken = {
  get: (): string | null => read(local, 'paddock.token'),
  set: (token: string | null): void => write(local, 'paddock.token', token),
};

export const storedLocale = {
  get: (): string | null => read(local, 'paddock.locale'),
  set: (locale: string): void => write(local, 'paddock.locale', locale),
};

export type StoredSeat = {
  readonly roomId: string;
  readonly code: string;
  readonly seat: string;
  readonly inviteKey?: string;
};

export const storedSeat = {
  get(): StoredSeat | null {
    const text = read(tab, 'paddock.seat');
    if (text === null) return null;
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value !== 'object' || value === null) return null;
      const { roomId, code, seat, inviteKey } = value as Record<string, unknown>;
      if (typeof roomId !== 'string' || typeof code !== 'string' || typeof seat !== 'string') return null;
      return { roomId, code, seat, ...(typeof inviteKey === 'string' ? { inviteKey } : {}) };
    } catch {
      return null;
    }
  },
  set: (seat: StoredSeat | null): void => write(tab, 'paddock.seat', seat === null ? null : JSON.stringify(seat)),
};
