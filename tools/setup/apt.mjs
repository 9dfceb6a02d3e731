// The system's own packages, as root on Debian and Ubuntu. Packages are installed for the system, but its package lists, its
// caches and its sources stay as they are: apt works in a temporary folder.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import process from 'node:process';
import { backports } from './aptSources.mjs';
import { attempt, environment, Failure, say } from './process.mjs';

const RELEASE = '/etc/os-release';
const LOCK_SECONDS = 300;

/** Whether packages come by apt here; that takes root. */
export const hasApt = () => existsSync('/usr/bin/apt-get') && existsSync(RELEASE);
export const isRoot = () => process.getuid?.() === 0;

/** The release by its code name, as in `bookworm`. */
export const codename = () => /^VERSION_CODENAME="?(\w+)/m.exec(readFileSync(RELEASE, 'utf8'))?.[1];

/** Installs packages, having said `why`, from the release's backports if it is named; throws a {@link Failure} if they do not come. */
export function installPackages(packages, { why, backportsOf }) {
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-apt-'));
  // apt downloads as a user of its own.
  chmodSync(folder, 0o755);
  try {
    install(folder, packages, why, backportsOf);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function install(folder, packages, why, release) {
  const state = ['lists/partial', 'cache/archives/partial', 'parts'].map((name) => join(folder, name));
  for (const path of state) mkdirSync(path, { recursive: true });
  const options = [
    `Dir::State::Lists=${folder}/lists`,
    `Dir::Cache=${folder}/cache`,
    `DPkg::Lock::Timeout=${LOCK_SECONDS}`,
    'Dpkg::Use-Pty=0',
  ];
  const target = release ? [`--target-release=${release}-backports`] : [];
  if (release) {
    for (const [name, text] of sourcesWith(release)) writeFileSync(join(folder, 'parts', name), text);
    options.push('Dir::Etc::SourceList=/dev/null', `Dir::Etc::SourceParts=${folder}/parts`);
  }
  const apt = (...args) =>
    attempt('apt-get', [...args, '-qq', ...options.flatMap((option) => ['-o', option])], {
      env: environment({ DEBIAN_FRONTEND: 'noninteractive' }),
    });

  const origin = release ? ` from ${release}-backports` : '';
  say(`${why} with apt-get (${packages.join(' ')}${origin})`);
  // A source that fails may not be the one with the packages: the installation tells.
  const update = apt('update');
  const failure = apt('install', '--yes', '--no-install-recommends', '--no-remove', ...target, ...packages);
  if (failure) throw new Failure([failure, update].filter(Boolean).join('; '));
}

/** Files for apt's sources folder, in which the machine's own entries have the backports too. */
function sourcesWith(release) {
  const folder = '/etc/apt/sources.list.d';
  const own = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  const changed = own
    .filter((path) => existsSync(path) && ['.list', '.sources'].includes(extname(path)))
    .map((path, index) => [`${index}${extname(path)}`, backports(readFileSync(path, 'utf8'), extname(path), release)])
    .filter(([, text]) => text !== '');
  if (changed.length === 0) throw new Failure(`apt's sources have no Debian entry for ${release}`);
  return changed;
}
