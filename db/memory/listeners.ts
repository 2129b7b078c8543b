/**
 * Tells listeners by key, after the present call has returned: a listener that commits again cannot overtake what the
 * others have not been told yet, since microtasks run in the order in which they were queued.
 */
export class Listeners<Key, Message> {
  readonly #byKey = new Map<Key, Set<(message: Message) => void>>();
  readonly #onError: (error: unknown) => void;

  /** `onError` is told what a listener threw; the others are called all the same. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Returns the end of it; afterwards the listener is not called any more. */
  add(key: Key, listener: (message: Message) => void): () => void {
    const own = (message: Message): void => listener(message);
    const set = this.#byKey.get(key) ?? new Set();
    this.#byKey.set(key, set.add(own));
    return () => {
      set.delete(own);
      if (set.size === 0 && this.#byKey.get(key) === set) this.#byKey.delete(key);
    };
  }

  tell(key: Key, message: Message): void {
    if (!this.#byKey.has(key)) return;
    queueMicrotask(() => {
      for (const listener of this.#byKey.get(key) ?? []) {
        try {
          listener(message);
        } catch (error) {
          this.#onError(error);
        }
      }
    });
  }

  clear(): void {
    this.#byKey.clear();
  }
}
