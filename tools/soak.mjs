// The long form of the tests that take a number: `node tools/soak.mjs [NAME ...]`, by default all of them; NAME as in
// `npm test`. An environment variable that is set already keeps its number.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const NUMBERS = {
  PADAGRAD_INPUTS: 10_000, // hostile inputs for each reader
  PADAGRAD_KILLS: 30, // of one run of the command line
  PADAGRAD_LOSSES: 100, // of a training's devices
  PADAGRAD_STEPS: 20_000, // captured PADA steps
  PADAGRAD_CYCLES: 500, // of opening and disposing a Gpu
  PADAGRAD_CAPTURES: 200,
  PADAGRAD_PROGRAMS: 10_000, // random programs, captured and eager
};
const TESTS = ['hostile/', 'cli/resume', 'train/losses', 'soak/', 'programs'];
const SECONDS = 4 * 3600;

const names = process.argv.slice(2);
const program = fileURLToPath(new URL('./test.mjs', import.meta.url));
// One after the other: memory and time are measured.
const args = [program, ...(names.length > 0 ? names : TESTS), '--jobs', '1', '--seconds', String(SECONDS)];
const numbers = Object.fromEntries(Object.entries(NUMBERS).map(([name, number]) => [name, String(number)]));
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...numbers, ...process.env } });
process.exitCode = status ?? 1;
