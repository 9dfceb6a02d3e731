import { spawnSync } from 'node:child_process';
import fs, { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

type Write = typeof fs.writeSync;

/** A disk of a few kB: mounted if the user may do that, else a folder with a quota that `writeSync` enforces. */
export interface SmallDisk {
  path: string;
  fill(): void;
  empty(): void;
  remove(): void;
}

export function smallDisk(folder: string, kilobytes: number): SmallDisk {
  const path = join(folder, 'small');
  mkdirSync(path);
  const filler = join(path, 'filler');
  const empty = () => rmSync(filler);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', path]).status === 0) {
    const fill = () => {
      try {
        writeFileSync(filler, new Uint8Array(1024 * kilobytes));
      } catch {}
    };
    return { path, fill, empty, remove: () => spawnSync('umount', [path]) };
  }
  const { writeSync } = fs;
  const use = (write: Write) => {
    fs.writeSync = write;
    syncBuiltinESMExports();
  };
  let used = 0;
  const measure = () =>
    readdirSync(path, { recursive: true }).reduce((sum, name) => sum + statSync(join(path, String(name))).size, used);
  const limited = (file: number, bytes: NodeJS.ArrayBufferView, ...rest: number[]) => {
    if (measure() + bytes.byteLength > 1024 * kilobytes)
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    return writeSync(file, bytes, ...rest);
  };
  use(limited as Write);
  return {
    path,
    fill: () => {
      used = 1024 * kilobytes;
    },
    empty: () => {
      used = 0;
    },
    remove: () => use(writeSync),
  };
}

/** Replaces a function of `node:fs` while `act` runs, until its promise resolves. */
export async function withFs<Name extends keyof typeof fs>(
  name: Name,
  other: (typeof fs)[Name],
  act: () => unknown,
): Promise<void> {
  const own = fs[name];
  const use = (one: (typeof fs)[Name]) => {
    fs[name] = one;
    syncBuiltinESMExports();
  };
  use(other);
  try {
    await act();
  } finally {
    use(own);
  }
}
