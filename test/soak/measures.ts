import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const MIB = 2 ** 20;

/** How often, by an environment variable that `npm run soak` sets; otherwise as often as `npm test` has time for. */
export const times = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Resident bytes of this process, once nothing is left that nobody uses. */
export async function residentBytes(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resume) => setTimeout(resume, 20));
  }
  return process.memoryUsage.rss();
}

const count = (folder: string): number => (process.platform === 'linux' ? readdirSync(folder).length : 0);

/** Threads and open files of this process; zeros where the system does not tell. */
export const handles = (): { threads: number; files: number } => ({
  threads: count('/proc/self/task'),
  files: count('/proc/self/fd'),
});
