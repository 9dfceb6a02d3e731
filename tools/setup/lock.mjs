// A lock between processes, so that two npm scripts never install or build at the same time.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { say } from '../../src/cli/setup/process.mjs';

const POLL_MS = 200;

/** Runs `body` while this process holds the lock: a file with the process's id. */
export async function withLock(path, body) {
  mkdirSync(dirname(path), { recursive: true });
  let announced = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && !isAlive(holder)) breakLock(path, holder);
    else {
      if (!announced) say(`waiting for process ${holder ?? '?'}, which is setting up or building (${path})`);
      announced = true;
      await setTimeout(POLL_MS);
    }
  }
  try {
    return await body();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  }
}

/** Returns the process id in the lock; undefined if it is still empty. */
function holderOf(path) {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Removes the lock of a dead process. It takes a second lock, so that a process that comes late does not remove a new lock. */
function breakLock(path, holder) {
  const breaking = `${path}.breaking`;
  if (!take(breaking)) return;
  try {
    if (holderOf(path) === holder) rmSync(path);
  } finally {
    rmSync(breaking);
  }
}
