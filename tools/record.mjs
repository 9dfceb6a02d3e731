// Records the benchmarks that the documents show: node tools/record.mjs bench, or peers. Each runs its command and keeps the JSON
// events with date, commit and load in docs/figures/NAME.json. tools/figures.mjs writes the tables from there.
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import process from 'node:process';

const COMMANDS = {
  bench: ['bench', '--json', '--only', 'matmul,conv2d,softmax-column-mean,cnn,pada,ladder-matmul'],
  peers: ['bench:peers', '--json'],
};

const [name] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, name))
  throw new RangeError(`record: unknown recording ${name}; use ${Object.keys(COMMANDS).join(' or ')}`);
const [script, ...args] = COMMANDS[name];
const before = loadavg()[0];
const { status, stdout } = spawnSync('npm', ['run', '--silent', script, '--', ...args], {
  encoding: 'utf8',
  maxBuffer: 2 ** 26,
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (status !== 0) throw new Error(`record: ${script} exited with ${status}`);
const events = stdout.trim().split('\n').map(JSON.parse);
const ofKind = (kind) => events.filter(({ event }) => event === kind).map(({ event: _, ...rest }) => rest);
const recording = {
  date: new Date().toISOString().slice(0, 10),
  commit: execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], { encoding: 'utf8' }).trim(),
  command: `npm run ${script} -- ${args.filter((arg) => arg !== '--json').join(' ')}`.replace(/ -- $/, ''),
  load: [before, loadavg()[0]].map((load) => Number(load.toFixed(1))),
  device: ofKind('device')[0],
  peaks: ofKind('peaks')[0],
  rows: ofKind('row'),
};
writeFileSync(`docs/figures/${name}.json`, `${JSON.stringify(recording, null, 1)}\n`);
