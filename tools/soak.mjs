// Runs the tests that repeat something N times with large N: `npm run soak -- [NAME ...]`, all of them by default; NAME as in
// `npm test`. Environment variables that are already set are kept. Without NAMEs it also checks what GPU compilers make of the hot
// kernels, which takes about a minute.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const NUMBERS = {
  PADAGRAD_INPUTS: 10_000, // hostile inputs for each reader
  PADAGRAD_KILLS: 30, // of one run of the command line
  PADAGRAD_LOSSES: 100, // of a training's devices
  PADAGRAD_STEPS: 20_000, // captured PADA steps
  PADAGRAD_IMAGES: 10_000, // JPEG files in a folder
  PADAGRAD_CYCLES: 500, // of opening and disposing a Gpu
  PADAGRAD_CAPTURES: 200,
  PADAGRAD_PROGRAMS: 10_000, // random programs, captured and eager
  PADAGRAD_INSTALL: 1, // whether the examples run with the packages and programs that they name, installed from npm
};
const TESTS = ['hostile/', 'cli/resume', 'train/losses', 'soak/', 'programs', 'package/examples'];
const SECONDS = 4 * 3600;

const names = process.argv.slice(2);
const program = fileURLToPath(new URL('./test.mjs', import.meta.url));
// One job, because these tests measure memory and time.
const args = [program, ...(names.length > 0 ? names : TESTS), '--jobs', '1', '--seconds', String(SECONDS)];
const numbers = Object.fromEntries(Object.entries(NUMBERS).map(([name, number]) => [name, String(number)]));
const { status } = spawnSync(process.execPath, args, { stdio: 'inherit', env: { ...numbers, ...process.env } });
process.exitCode = status ?? 1;

if (names.length === 0) {
  const compiler = fileURLToPath(new URL('./gpu-compile/run.mjs', import.meta.url));
  const checked = spawnSync(process.execPath, [compiler, '--check'], { stdio: 'inherit' });
  process.exitCode ||= checked.status ?? 1;
}
