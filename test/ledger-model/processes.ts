import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PgTarget } from '../../db/postgres/connect.ts';
import type { LedgerItem, RaceRecords } from '../../lib/ports.ts';
import type { AcceptedAnswer } from '../../lib/run/batcher-lane.ts';
import { PROJECT } from '../helpers/process.ts';
import { until } from '../helpers/until.ts';
import type { FromPlacer, PlacerTerms, Refused, ToPlacer } from './placer.ts';

const ENTRY = fileURLToPath(new URL('./placer.ts', import.meta.url));

/** `gone`: the process was killed before it answered. */
export type Answered = { readonly ms: number } & (
  | { readonly kind: 'accepted'; readonly answer: AcceptedAnswer }
  | { readonly kind: 'refused'; readonly refused: Refused }
  | { readonly kind: 'gone' }
);

/** One attempt that says nothing about the command's fate: it must be repeated under the same id. */
export const isUnknown = (answered: Answered): boolean =>
  answered.kind === 'gone' || (answered.kind === 'refused' && answered.refused.unknown);

/** The parent's end of a placing process. Whoever starts it kills it. */
export class Placer {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (message: FromPlacer | null) => void>();
  readonly #heard: FromPlacer['kind'][] = [];
  readonly #gone: Promise<void>;
  #last = 0;
  dead = false;
  answered = 0;

  constructor() {
    this.#child = spawn(process.execPath, ['--import', `${PROJECT}/node_modules/tsx/dist/esm/index.mjs`, ENTRY], {
      cwd: PROJECT,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (message: FromPlacer) => this.#hear(message));
    this.#gone = new Promise((resolve) => {
      this.#child.once('exit', () => {
        this.dead = true;
        for (const waiting of this.#waiting.values()) waiting(null);
        this.#waiting.clear();
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Requests that were sent and are not answered. */
  get pending(): number {
    return this.#waiting.size;
  }

  #hear(message: FromPlacer): void {
    if (!('n' in message)) return void this.#heard.push(message.kind);
    this.answered += 1;
    this.#waiting.get(message.n)?.(message);
    this.#waiting.delete(message.n);
  }

  async #tell(message: ToPlacer): Promise<void> {
    if (this.#heard[0] === undefined)
      await until('the placer is up', () => this.#heard[0] ?? this.dead, { deadlineMs: 60_000 });
    if (!this.dead) this.#child.send(message, () => {});
  }

  /** Resolves once the process has come up; its life so far cost nobody a wait. */
  async open(target: PgTarget, terms: PlacerTerms): Promise<void> {
    const before = this.#heard.filter((kind) => kind === 'opened').length;
    await this.#tell({ kind: 'open', target, terms });
    const opened = () => this.#heard.filter((kind) => kind === 'opened').length > before;
    await until('the placer is open', () => opened() || this.dead, { everyMs: 2 });
  }

  async submit(item: LedgerItem): Promise<Answered> {
    const from = performance.now();
    const message = await this.#ask((n) => ({ kind: 'submit', n, item }));
    if (message?.kind === 'answer') return { kind: 'accepted', answer: message.answer, ms: message.ms };
    if (message?.kind === 'refused') return { kind: 'refused', refused: message.refused, ms: message.ms };
    return { kind: 'gone', ms: performance.now() - from };
  }

  async settle(...settle: Parameters<RaceRecords['settle']>): Promise<string> {
    const message = await this.#ask((n) => ({ kind: 'settle', n, settle }));
    return message?.kind === 'moved' ? message.move : 'gone';
  }

  async #ask(message: (n: number) => ToPlacer): Promise<FromPlacer | null> {
    if (this.dead) return null;
    const n = ++this.#last;
    const answer = new Promise<FromPlacer | null>((resolve) => this.#waiting.set(n, resolve));
    await this.#tell(message(n));
    return answer;
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#gone;
  }
}
