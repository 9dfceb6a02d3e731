// Builds what is older than its sources.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { attempt, Failure, say } from '../../src/cli/setup/process.mjs';

const SOURCES = [
  'src',
  'shaders',
  'test',
  'bench',
  'demo',
  'tools',
  'build.mjs',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.types.json',
];
const PARTS = { programs: ['programs'], all: ['library', 'command', 'types', 'programs'] };
const BUILT = '.build/built.json';
const OUTPUTS = {
  programs: ['.build/cli/padagrad.mjs'],
  all: ['.build/cli/padagrad.mjs', 'dist/index.js', 'dist/types/index.d.ts'],
};

/** Builds `programs`, or `all` (the package too), if they are older than their sources; `again` builds all in any case. */
export function build(what) {
  const part = what === 'again' ? 'all' : what;
  const now = fingerprint(SOURCES);
  const last = lastBuilt();
  const fresh = (name) => last[name] === now && OUTPUTS[name].every((path) => existsSync(path));
  if (what !== 'again' && (fresh('all') || fresh(part))) return;
  say(part === 'all' ? 'building the library, the command line and the tests' : 'building the command line');
  const failure = attempt(process.execPath, ['build.mjs', ...(what === 'again' ? [] : PARTS[part])]);
  if (failure) throw new Failure('build: failed, see above');
  writeFileSync(BUILT, JSON.stringify({ ...last, [part]: now }));
}

/** Returns a hash that changes when a file is added, removed or written. */
function fingerprint(paths) {
  const hash = createHash('sha256');
  for (const path of paths.filter(existsSync)) {
    const files = statSync(path).isDirectory()
      ? readdirSync(path, { recursive: true })
          .filter((name) => !name.includes('node_modules'))
          .sort()
          .map((name) => join(path, name))
      : [path];
    for (const file of files) {
      const { mtimeMs, size } = statSync(file);
      hash.update(`${file}:${mtimeMs}:${size}\n`);
    }
  }
  return hash.digest('hex');
}

function lastBuilt() {
  try {
    return JSON.parse(readFileSync(BUILT, 'utf8'));
  } catch {
    return {};
  }
}
