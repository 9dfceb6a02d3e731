// The lock of a run's folder: a file with the number of the process that uses it. The lock of a process that no longer runs is taken
// over. Lock files of packages are renewed by a timer instead, so a process that was killed or paused would keep others waiting.
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, otherThanFile } from './files.ts';

export const LOCK = 'lock';
// A process writes its number right after it makes the file, so an older empty lock is a left-over.
const WRITING_MS = 2000;

/**
 * Locks a folder for this process.
 *
 * @returns the function that unlocks it
 * @throws Error if another process has locked it
 */
export function lockFolder(path: string): () => void {
  const lock = join(path, LOCK);
  const own = identity(process.pid);
  while (!create(lock, own)) {
    const other = otherThanFile(lock);
    if (other) throw new Error(`${lock} is ${other}, not a file; move it away`);
    const found = read(lock);
    if (found === undefined) continue;
    if (isHeld(found, lock)) {
      const pid = pidOf(found);
      const who = pid === undefined ? 'another process' : `process ${pid}`;
      throw new Error(`${who} is using ${path}; wait for it to finish or stop it`);
    }
    // Two processes may find the same old lock: one of them moves it away. A process that has moved another lock than the one
    // it read puts it back.
    const aside = join(path, `.${LOCK}.${process.pid}.tmp`);
    try {
      renameSync(lock, aside);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      continue;
    }
    if (read(aside) !== found) renameSync(aside, lock);
    else rmSync(aside, { force: true });
  }
  return () => {
    if (read(lock) === own) rmSync(lock, { force: true });
  };
}

/** Makes the file with this text. Returns false if it exists. */
function create(lock: string, text: string): boolean {
  try {
    writeFileSync(lock, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return false;
  }
}

/** Reads a lock; undefined if there is none. */
function read(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

/** Identifies a process by its number and start time, if the system tells it: containers reuse numbers. */
const identity = (pid: number): string => `${[pid, startOf(pid)].filter((part) => part !== undefined).join(' ')}\n`;

function pidOf(text: string): number | undefined {
  const pid = Number(/^\d{1,10}\b/.exec(text)?.[0] ?? Number.NaN);
  return pid > 0 ? pid : undefined;
}

function isHeld(text: string, lock: string): boolean {
  const pid = pidOf(text);
  if (pid === undefined)
    return text === '' && Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0) < WRITING_MS;
  if (!isAlive(pid)) return false;
  const start = text.trim().split(' ')[1];
  return start === undefined || start === (startOf(pid) ?? start);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user is alive, but may not be signalled.
    return codeOf(error) === 'EPERM';
  }
}

/** Returns when a process started, in clock ticks since boot; undefined without Linux's /proc. */
function startOf(pid: number): string | undefined {
  try {
    // The second field is the program's name in brackets, which may contain anything. The start is the 20th field after it.
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[19];
  } catch {
    return undefined;
  }
}
