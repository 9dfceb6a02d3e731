// Starts other programs, for the launcher of a clone and for the command line, and prints their messages.
import { spawn, spawnSync } from 'node:child_process';
import process from 'node:process';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_MS = 250;
// When Dawn first asks for adapters, it prints a warning if a driver has room for more dynamic buffers than the 16 that Dawn can use. Almost
// all drivers have. It helps no user, and only the reader of a process can leave it out: Dawn has no setting for it, and writes to stderr
// without Node's knowledge.
const NOISE = /^Warning: maxDynamic\w+BuffersPerPipelineLayout artificially reduced .*\r?\n/gm;
const NOISE_BEGINS = 'Warning: maxDynamic';

/** An error that the user can fix. Only its message is printed, without a stack. */
export class Failure extends Error {}

/** Prints to stderr, because stdout belongs to the program that is launched. */
export const say = (text) => process.stderr.write(`${text}\n`);

/** Returns the environment of this process with changes; null removes a variable. */
export function environment(changes) {
  const entries = Object.entries({ ...process.env, ...changes });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

/** Runs a program with its output on stderr; returns a message if it failed. */
export function attempt(program, args, options = {}) {
  const { status, signal, error } = spawnSync(program, args, { stdio: ['ignore', 2, 2], ...options });
  if (error) return `${program} could not be run: ${error.message}`;
  if (signal) return `${program} ${args[0]} was ended by ${signal}`;
  return status === 0 ? undefined : `${program} ${args[0]} failed with exit code ${status}`;
}

/** Runs Node as if it replaced this process: returns its exit code, passes signals on, and ends by the signal that ended it. */
export async function runNode(args, changes) {
  // With --json people watch stderr, so the program must see the terminal there.
  const stderr = args.includes('--json') && process.stderr.isTTY ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, args, { stdio: ['inherit', 'inherit', stderr], env: environment(changes) });
  child.stderr?.setEncoding('utf8');
  const quiet = withoutNoise((text) => process.stderr.write(text));
  child.stderr?.on('data', quiet.text).on('end', quiet.end);
  // In a terminal Ctrl-C reaches the child directly, and a second SIGINT would interrupt its orderly end.
  const terminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  const forward = (signal) => (signal === 'SIGINT' && terminal ? undefined : child.kill(signal));
  for (const signal of FORWARDED) process.on(signal, forward);
  // npm runs scripts in a shell and sends SIGTERM only to the shell. This process only notices that its parent has gone.
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

/** Passes text on to `write` without Dawn's warnings. Only a last line that may become one waits for its end. */
export function withoutNoise(write) {
  let kept = '';
  const text = (chunk) => {
    const whole = (kept + chunk).replace(NOISE, '');
    const last = whole.lastIndexOf('\n') + 1;
    const tail = whole.slice(last);
    const waits = tail.startsWith(NOISE_BEGINS) || NOISE_BEGINS.startsWith(tail);
    kept = waits ? tail : '';
    const passed = waits ? whole.slice(0, last) : whole;
    if (passed) write(passed);
  };
  return { text, end: () => kept && write(kept) };
}

/** Returns the command of the npm that runs this script, or of the npm on the path. */
export function npm() {
  const script = process.env.npm_execpath;
  if (script?.endsWith('npm-cli.js')) return [process.execPath, script];
  return process.platform === 'win32' ? ['cmd.exe', '/c', 'npm'] : ['npm'];
}
