import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const MIB = 2 ** 20;

/** Returns a count: from an environment variable that `npm run soak` sets, otherwise a small one for `npm test`. */
export const times = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Returns the resident bytes of this process after garbage collection. */
export async function residentBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resume) => setTimeout(resume, 20));
  }
  return process.memoryUsage.rss();
}

const count = (folder: string): number => (process.platform === 'linux' ? readdirSync(folder).length : 0);

/** Returns the threads and open files of this process; zeros except on Linux. */
export const handles = (): { threads: number; files: number } => ({
  threads: count('/proc/self/task'),
  files: count('/proc/self/fd'),
});
