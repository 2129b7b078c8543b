/**
 * `npm run soak -- [lanes] [crash] [model] [--seeds=100000] [--kills=40] [--lists=500] [--seed=N]`: the long forms of tests that the usual run has
 * in short. Without a name all of them, one after the other. Prints commit and seed, writes what came out to docs/soak.md
 * and ends with 1 where something failed.
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Track } from '../lib/engine/index.ts';
import { FIELD_SIZES, lanePs, laneTable, TRACKS } from './helpers/lanes.ts';

const SELF = fileURLToPath(import.meta.url);
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REPORT = fileURLToPath(new URL('../docs/soak.md', import.meta.url));
const VITEST = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const LEAST_P = 0.001;

type Options = { readonly seeds: number; readonly kills: number; readonly lists: number; readonly seed: number };
type Outcome = { readonly ok: boolean; readonly lines: readonly string[] };

const PARTS: Readonly<Record<string, (options: Options) => Promise<Outcome>>> = { lanes, crash, model };

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      seeds: { type: 'string' },
      kills: { type: 'string' },
      lists: { type: 'string' },
      seed: { type: 'string' },
    },
  });
  const [first, ...rest] = positionals;
  if (first === 'lane') return lane(rest);
  const unknown = positionals.filter((name) => !(name in PARTS));
  if (unknown.length > 0)
    throw new Error(`no such part: ${unknown.join(', ')}. Parts: ${Object.keys(PARTS).join(' ')}`);
  const options: Options = {
    seeds: Number(values.seeds ?? 100_000),
    kills: Number(values.kills ?? 40),
    lists: Number(values.lists ?? 500),
    seed: Number(values.seed ?? randomInt(2 ** 31)),
  };
  const commit = commitOf();
  console.log(`commit ${commit}, seed ${options.seed}`);
  for (const name of positionals.length > 0 ? positionals : Object.keys(PARTS)) {
    const began = performance.now();
    const outcome = await PARTS[name]?.(options);
    if (outcome === undefined) continue;
    const minutes = ((performance.now() - began) / 60_000).toFixed(1);
    const facts = `${new Date().toISOString().slice(0, 10)}, commit ${commit}, Node ${process.versions.node}, ${cpus().length} cores, ${minutes} min`;
    const lines = [`**${outcome.ok ? 'Passed' : 'FAILED'}** (${facts})`, '', ...outcome.lines];
    console.log(`${name}:\n${lines.join('\n')}`);
    write(name, lines);
    if (!outcome.ok) process.exitCode = 1;
  }
}

/** The commit, and whether the files are still those of it. */
function commitOf(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain', '--', ':!docs/soak.md') !== '';
  return `${git('rev-parse', '--short=12', 'HEAD')}${changed ? ' with changes' : ''}`;
}

/** Puts the lines between the part's marks; the other parts stay as they were. */
function write(part: string, lines: readonly string[]): void {
  const [begin, end] = [`<!-- ${part} -->`, `<!-- /${part} -->`];
  const text = readFileSync(REPORT, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/soak.md has no place for ${part}`);
  writeFileSync(REPORT, `${text.slice(0, from + begin.length)}\n${lines.join('\n')}\n${text.slice(to)}`);
}

// ---- lanes ----

type LaneResult = {
  readonly track: Track;
  readonly fieldSize: number;
  readonly ps: readonly { readonly place: number; readonly p: number }[];
};

/** Every field size on every track, each in a process of its own, as many at a time as there are cores. No second look. */
async function lanes({ seeds }: Options): Promise<Outcome> {
  const waiting = TRACKS.flatMap((track) => FIELD_SIZES.map((fieldSize) => ({ track, fieldSize })));
  const results: LaneResult[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { track, fieldSize } = next;
      const result = await laneResult(track, fieldSize, seeds);
      console.log(`${track}, ${fieldSize} horses: least p ${leastOf(result).p.toFixed(4)}`);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  const row = (track: Track): string => {
    const cells = FIELD_SIZES.map((size) => {
      const found = results.find((result) => result.track === track && result.fieldSize === size);
      if (found === undefined) return '–';
      const { place, p } = leastOf(found);
      return `${p.toFixed(4)} (${place})`;
    });
    return `| ${track} | ${cells.join(' | ')} |`;
  };
  const places = results.flatMap(({ ps }) => ps);
  const above = places.filter(({ p }) => p > LEAST_P).length;
  return {
    ok: above === places.length && results.length === TRACKS.length * FIELD_SIZES.length,
    lines: [
      `Seeds 0 to ${(seeds - 1).toLocaleString('en')}: chi-square over the lanes for each place; below, the least p over all places and in brackets the place it is of.`,
      `${above} of ${places.length} places are above ${LEAST_P}.`,
      '',
      `| track | ${FIELD_SIZES.join(' | ')} |`,
      `|---|${FIELD_SIZES.map(() => '---|').join('')}`,
      ...TRACKS.map(row),
    ],
  };
}

async function laneResult(track: Track, fieldSize: number, seeds: number): Promise<LaneResult> {
  const args = ['--import', 'tsx', SELF, 'lane', track, String(fieldSize), String(seeds)];
  const { text } = await run(process.execPath, args);
  return JSON.parse(text.trim().split('\n').at(-1) ?? '') as LaneResult;
}

function leastOf({ ps }: LaneResult): { place: number; p: number } {
  return ps.reduce((least, one) => (one.p < least.p ? one : least), { place: 0, p: 1 });
}

/** One table, in this process; its result is the last line. */
function lane([track, fieldSize, seeds]: readonly string[]): void {
  const found = TRACKS.find((one) => one === track);
  if (found === undefined) throw new Error(`no such track: ${track}`);
  const table = laneTable(Number(seeds), Number(fieldSize), found);
  const result: LaneResult = { track: found, fieldSize: table.fieldSize, ps: lanePs(table) };
  console.log(JSON.stringify(result));
}

// ---- crash ----

type Strike = { readonly victims: string; readonly moment: string; readonly twice: boolean };

/** test/crash with more moments. */
async function crash({ kills, seed }: Options): Promise<Outcome> {
  const { code, text } = await run(process.execPath, [VITEST, 'run', '--no-color', 'test/crash'], {
    CRASH_KILLS: String(kills),
    PADDOCK_TEST_SEED: String(seed),
  });
  const strikes = text
    .split('\n')
    .flatMap((line) => (line.startsWith('{"victims"') ? [JSON.parse(line) as Strike] : []));
  const moments = [...new Set(strikes.map(({ moment }) => moment))];
  const count = (moment: string, victims: string): number =>
    strikes.filter((strike) => strike.moment === moment && strike.victims === victims).length;
  const told = text.split('\n').filter((line) => /^(server|both): /.test(line));
  const summary = text.split('\n').filter((line) => /^ +(Test Files|Tests) /.test(line));
  return {
    ok: code === 0,
    lines: [
      `Seed ${seed}; ${strikes.length} kills, ${strikes.filter(({ twice }) => twice).length} of them followed by another one during the start; and three in the middle of a settlement.`,
      '',
      '| moment | server alone | server and PostgreSQL |',
      '|---|---|---|',
      ...moments.map((moment) => `| ${moment} | ${count(moment, 'server')} | ${count(moment, 'both')} |`),
      '',
      ...[...told, ...summary].map((line) => `- ${line.trim().replace(/ +/g, ' ')}`),
    ],
  };
}

// ---- model ----

/** test/ledger-model with more lists. */
async function model({ lists, seed }: Options): Promise<Outcome> {
  const { code, text } = await run(process.execPath, [VITEST, 'run', '--no-color', 'test/ledger-model'], {
    MODEL_LISTS: String(lists),
    MODEL_SEED: String(seed),
  });
  const told = text.split('\n').find((line) => line.startsWith('{"lists"'));
  const counts = told === undefined ? {} : (JSON.parse(told) as Record<string, number>);
  const codes = Object.entries(counts).filter(([what]) => what !== 'lists' && what !== 'seconds');
  const failed = text.split('\n').filter((line) => line.includes('MODEL_SEED=') && line.includes('Error'));
  const summary = text.split('\n').filter((line) => /^ +(Test Files|Tests) /.test(line));
  return {
    ok: code === 0 && counts['lists'] === lists,
    lines: [
      `Seeds ${seed} to ${seed + lists - 1}; ${counts['lists'] ?? 'not all'} lists agreed with the model after every block.`,
      '',
      '| accepted, refused, done | times |',
      '|---|---|',
      ...codes.map(([what, times]) => `| ${what} | ${times} |`),
      '',
      ...[...failed, ...summary].map((line) => `- ${line.trim().replace(/ +/g, ' ').slice(0, 300)}`),
    ],
  };
}

/** Output goes on to ours and is returned. */
function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number | null; readonly text: string }> {
  const child = spawn(command, [...args], {
    cwd: ROOT,
    env: { ...process.env, NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (!args.includes('lane')) process.stdout.write(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, text }));
  });
}

await main();
