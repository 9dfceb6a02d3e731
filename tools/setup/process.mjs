import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_MS = 250;
// What Dawn says of lavapipe, past Node and past any reader's use.
const NOISE = /^Warning: maxDynamic\w+BuffersPerPipelineLayout artificially reduced/;

/** Something a user can mend: its message is all there is to say. */
export class Failure extends Error {}

/** People's output: stdout belongs to the program that is launched. */
export const say = (text) => process.stderr.write(`${text}\n`);

/** The process's environment with changes; null takes a variable away. */
export function environment(changes) {
  const entries = Object.entries({ ...process.env, ...changes });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

/** Runs a program to its end, its output on stderr; gives what went wrong, or nothing. */
export function attempt(program, args, options = {}) {
  const { status, signal, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...options });
  if (error) return `${program} could not be run: ${error.message}`;
  if (signal) return `${program} ${args[0]} was ended by ${signal}`;
  return status === 0 ? undefined : `${program} ${args[0]} failed with exit code ${status}`;
}

/** Runs node in this process's place, as far as can be: gives its exit code, hands signals on, and ends by the one that ended it. */
export async function runNode(args, changes) {
  // With --json it is stderr that people watch, and that has to be the terminal itself.
  const stderr = args.includes('--json') ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, args, { stdio: ['inherit', 'inherit', stderr], env: environment(changes) });
  if (child.stderr) createInterface(child.stderr).on('line', (line) => NOISE.test(line) || say(line));
  // In a terminal Ctrl-C has reached the child already, and a second SIGINT would cut its orderly end short.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  const forward = (signal) => (signal === 'SIGINT' && terminal ? undefined : child.kill(signal));
  for (const signal of FORWARDED) process.on(signal, forward);
  // npm runs scripts in a shell, and hands a SIGTERM to the shell alone: that it is gone is all that arrives here.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (!process.env.npm_lifecycle_event || process.ppid === parent) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, PARENT_MS);
  const [code, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (...end) => resolve(end));
  });
  clearInterval(watch);
  for (const name of FORWARDED) process.off(name, forward);
  if (signal) process.kill(process.pid, signal);
  return code ?? 1;
}
