import { existsSync, readFileSync } from 'node:fs';
import type { Machine } from './advice.ts';

/** What this machine is, as far as advice depends on it. */
export function thisMachine(): Machine {
  const release = osRelease();
  return {
    platform: process.platform,
    arch: process.arch,
    distribution: `${release.ID ?? ''} ${release.ID_LIKE ?? ''}`.split(' ').filter(Boolean),
    release: release.VERSION_ID ?? '',
    nvidia: existsSync('/proc/driver/nvidia/version'),
    container: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    driverFiles: process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES,
  };
}

function osRelease(): Record<string, string | undefined> {
  try {
    const lines = readFileSync('/etc/os-release', 'utf8').matchAll(/^(\w+)="?([^"\n]*)"?$/gm);
    return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]));
  } catch {
    // Not Linux, or one that does not say what it is.
    return {};
  }
}
