import { cpus, totalmem } from 'node:os';

/** One measured pair: ours and the peer's, in the same run. */
export type Pair = {
  readonly ours: number;
  /** NaN: there is no peer */
  readonly peer: number;
  /** What else was seen, by name. */
  readonly notes?: Readonly<Record<string, string>>;
};

export type Row = {
  readonly name: string;
  readonly unit: string;
  readonly peer: string;
  /** What the peer was measured at when the target was set; more than half off makes the row suspect. null: never measured here. */
  readonly peerFigure: number | null;
  readonly target: string;
  readonly met: (value: number, ratio: number) => boolean;
  /** How many interleaved pairs; 5, or 1 where a count of bytes is the same every time. */
  readonly pairs: number;
  /** `index`: which pair, from 0. */
  readonly measure: (index: number) => Promise<Pair>;
};

export type RowResult = {
  readonly row: string;
  readonly value: number;
  readonly unit: string;
  readonly peer: string;
  readonly peerValue: number;
  readonly ratio: number;
  readonly target: string;
  readonly met: boolean;
  readonly suspect?: true;
  readonly pairs: readonly Pair[];
};

/** Ours over the peer's: below 1 is better where less is better. The median pair by ratio is the row's. */
export function resultOf(row: Row, pairs: readonly Pair[]): RowResult {
  const worth = ({ ours, peer }: Pair): number => (Number.isNaN(peer) ? ours : ours / peer);
  const sorted = [...pairs].sort((a, b) => worth(a) - worth(b));
  const median = sorted[Math.floor(sorted.length / 2)] ?? { ours: Number.NaN, peer: Number.NaN };
  const ratio = median.ours / median.peer;
  const suspect = row.peerFigure !== null && Math.abs(median.peer / row.peerFigure - 1) > 0.5;
  return {
    row: row.name,
    value: rounded(median.ours),
    unit: row.unit,
    peer: row.peer,
    peerValue: rounded(median.peer),
    ratio: rounded(ratio),
    target: row.target,
    met: row.met(median.ours, ratio),
    ...(suspect ? { suspect } : {}),
    pairs: pairs.map((pair) => ({ ...pair, ours: rounded(pair.ours), peer: rounded(pair.peer) })),
  };
}

export function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
}

const rounded = (value: number): number => Number(value.toPrecision(4));
