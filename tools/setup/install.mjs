// Installs npm packages when node_modules differs from package-lock.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, Failure, npm, say } from '../../src/cli/setup/process.mjs';

// npm writes the second file at the very end, so an interrupted installation does not have it.
const LOCK = 'package-lock.json';
const INSTALLED = 'node_modules/.package-lock.json';

/** Installs the packages of a folder's package-lock.json unless they are installed already. */
export function ensureInstalled(folder = '.') {
  const lock = join(folder, LOCK);
  const difference = differs(packages(lock), packages(join(folder, INSTALLED)));
  if (!difference) return;
  say(`installing the packages of ${lock} with \`npm ci\` (${difference})`);
  // No package here needs its install script: esbuild and webgpu contain their binaries.
  const [program, ...first] = npm();
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const failure = attempt(program, [...first, ...args], { cwd: folder });
  if (failure) throw new Failure(`set-up: ${failure}; see npm's message above; then run \`npm ci\` yourself`);
}

/** Returns the first difference between the lock file and the installed packages, if any. Packages for other platforms may be missing. */
export function differs(wanted, installed) {
  if (!installed) return 'node_modules is missing or incomplete';
  for (const [path, { version, integrity, optional }] of Object.entries(wanted)) {
    const found = installed[path];
    if (path === '' || (!found && optional)) continue;
    const name = path.replace(/^.*node_modules\//, '');
    if (!found) return `${name} is missing`;
    if (found.version !== version || found.integrity !== integrity)
      return `${name} is ${found.version}, wanted ${version}`;
  }
  return undefined;
}

function packages(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return undefined;
  }
}
