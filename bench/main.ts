/** `npm run bench -- [ROW…] [--json]`: measures rows against their peers, one after the other. */
import { machine, type Row, type RowResult, resultOf } from './row.ts';
import { bets } from './rows/bets.ts';
import { joinBytes } from './rows/join-bytes.ts';
import { lobbyBytes } from './rows/lobby-bytes.ts';
import { race } from './rows/race.ts';
import { rush } from './rows/rush.ts';
import { settlement } from './rows/settlement.ts';

const ROWS: readonly Row[] = [race, joinBytes, lobbyBytes, bets, rush, settlement];

async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json');
  const names = args.filter((arg) => !arg.startsWith('--'));
  const unknown = names.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`no such row: ${unknown.join(', ')}. Rows: ${ROWS.map((row) => row.name).join(' ')}\n`);
    process.exitCode = 2;
    return;
  }
  if (!json) process.stdout.write(`${machine()}\n`);
  for (const row of ROWS.filter((one) => names.length === 0 || names.includes(one.name))) {
    const pairs = [];
    for (let index = 0; index < row.pairs; index++) pairs.push(await row.measure(index));
    const result = resultOf(row, pairs);
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : table(result));
  }
}

function table(result: RowResult): string {
  const state = `${result.met ? 'met' : 'NOT MET'}${result.suspect ? ', suspect' : ''}`;
  const pairs = result.pairs.map((pair) => `${pair.ours}/${pair.peer}`).join(' ');
  const notes = result.pairs.flatMap((pair) =>
    Object.entries(pair.notes ?? {}).map(([name, note]) => `${' '.repeat(15)}${name}: ${note}\n`),
  );
  return `${result.row.padEnd(14)} ${result.value} ${result.unit} · peer ${result.peerValue} (${result.peer}) · ratio ${result.ratio} · target ${result.target}: ${state}\n${' '.repeat(15)}pairs ${pairs}\n${notes.join('')}`;
}

await main(process.argv.slice(2));
process.exit();
