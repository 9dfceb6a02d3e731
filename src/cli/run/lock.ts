import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, otherThanFile } from './files.ts';

export const LOCK = 'lock';
// Who finds a lock without a number waits for nobody longer than writing the number takes.
const WRITING_MS = 2000;

/** Another process is at work in the folder. */
export class LockedError extends Error {
  override name = 'LockedError';
  constructor(
    readonly path: string,
    readonly pid: number | undefined,
  ) {
    super(`${pid === undefined ? 'another process' : `process ${pid}`} is at work in ${path}; wait for it, or stop it`);
  }
}

/**
 * Takes a folder for this process, by a file that holds its number; what a process that is gone has left is taken over.
 *
 * @returns what gives the folder back
 * @throws LockedError while another process has it
 */
export function lockFolder(path: string): () => void {
  const lock = join(path, LOCK);
  const own = identity(process.pid);
  while (!create(lock, own)) {
    const other = otherThanFile(lock);
    if (other) throw new Error(`${lock} is ${other}, not a file; move it away`);
    const found = read(lock);
    if (found === undefined) continue;
    if (isHeld(found, lock)) throw new LockedError(path, pidOf(found));
    // Two processes may find the same old lock: one of them moves it away. A process that has moved another lock than the one
    // it read puts it back.
    const aside = join(path, `.${LOCK}.${process.pid}.tmp`);
    try {
      renameSync(lock, aside);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
      continue;
    }
    const moved = read(aside);
    if (moved !== found) renameSync(aside, lock);
    else rmSync(aside, { force: true });
  }
  return () => {
    if (read(lock) === own) rmSync(lock, { force: true });
  };
}

/** True if the file was not there and now holds the text. */
function create(lock: string, text: string): boolean {
  let file: number;
  try {
    file = openSync(lock, 'wx');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
  try {
    writeSync(file, text);
  } finally {
    closeSync(file);
  }
  return true;
}

/** What a lock says; undefined where there is none. */
function read(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** A process by its number and, where the system tells, when it began: numbers come again, above all in containers. */
const identity = (pid: number): string => `${[pid, began(pid)].filter((part) => part !== undefined).join(' ')}\n`;

function pidOf(text: string): number | undefined {
  const pid = Number(/^\d{1,10}\b/.exec(text)?.[0] ?? Number.NaN);
  return pid > 0 ? pid : undefined;
}

function isHeld(text: string, lock: string): boolean {
  const pid = pidOf(text);
  if (pid === undefined)
    return text === '' && Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? 0) < WRITING_MS;
  if (!isAlive(pid)) return false;
  const since = text.trim().split(' ')[1];
  return since === undefined || since === (began(pid) ?? since);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Of another user: alive, but not ours to signal.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in ticks since the machine did; undefined where Linux's /proc is not. */
function began(pid: number): string | undefined {
  try {
    // The second field, the program's name in brackets, may hold anything; the 20th after it is the start.
    return readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ')[19];
  } catch {
    return undefined;
  }
}
