import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { say } from './process.mjs';

const POLL_MS = 200;

/** Runs `body` while no other process does so under the same lock: a file that holds the process's number. */
export async function withLock(path, body) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!take(path)) {
    const holder = holderOf(path);
    if (holder !== undefined && !isAlive(holder)) breakLock(path, holder);
    else {
      if (!told) say(`waiting for process ${holder ?? '?'}, which is setting up or building (${path})`);
      told = true;
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

/** The number in the lock; undefined while there is none in it. */
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

/** Takes a dead process's lock away. Under a lock of its own: of two that see it, the second must not remove the first one's new lock. */
function breakLock(path, holder) {
  const breaking = `${path}.breaking`;
  if (!take(breaking)) return;
  try {
    if (holderOf(path) === holder) rmSync(path);
  } finally {
    rmSync(breaking);
  }
}
