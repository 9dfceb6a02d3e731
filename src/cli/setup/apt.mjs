// Installs packages with apt, as root on Debian and Ubuntu. apt works in a temporary folder, so the system's package lists, caches
// and sources stay as they are.
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
import { attempt, environment, Failure, say } from './process.mjs';

const RELEASE = '/etc/os-release';
const LOCK_SECONDS = 300;

/** Whether this system has apt. Installing also takes root. */
export const hasApt = () => existsSync('/usr/bin/apt-get') && existsSync(RELEASE);
export const isRoot = () => process.getuid?.() === 0;

/** Returns the code name of the release, as in `bookworm`. */
export const codename = () => /^VERSION_CODENAME="?(\w+)/m.exec(readFileSync(RELEASE, 'utf8'))?.[1];

/** Prints `why` and installs packages, from the backports of the release `backportsOf` if given. Throws {@link Failure} on errors. */
export function installPackages(packages, { why, backportsOf }) {
  const folder = mkdtempSync(join(tmpdir(), 'padagrad-apt-'));
  // apt downloads as another user.
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
    for (const [name, text] of sourcesWith(release, suitesOf(release)))
      writeFileSync(join(folder, 'parts', name), text);
    options.push('Dir::Etc::SourceList=/dev/null', `Dir::Etc::SourceParts=${folder}/parts`);
  }
  const apt = (...args) =>
    attempt('apt-get', [...args, '-qq', ...options.flatMap((option) => ['-o', option])], {
      env: environment({ DEBIAN_FRONTEND: 'noninteractive' }),
    });

  const origin = release ? ` from ${release}-backports` : '';
  say(`${why} with apt-get (${packages.join(' ')}${origin})`);
  // An update may fail for sources that do not matter; the installation shows whether it did.
  const update = apt('update');
  const failure = apt('install', '--yes', '--no-install-recommends', '--no-remove', ...target, ...packages);
  if (failure) throw new Failure([failure, update].filter(Boolean).join('; '));
}

const suitesOf = (release) => [release, `${release}-backports`];

/** Returns files for apt's sources folder: the machine's own Debian entries for a release, for these suites. */
export function sourcesWith(release, suites) {
  const folder = '/etc/apt/sources.list.d';
  const own = [
    '/etc/apt/sources.list',
    ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []),
  ];
  const changed = own
    .filter((path) => existsSync(path) && ['.list', '.sources'].includes(extname(path)))
    .map((path, index) => [
      `${index}${extname(path)}`,
      withSuites(readFileSync(path, 'utf8'), extname(path), release, suites),
    ])
    .filter(([, text]) => text !== '');
  if (changed.length === 0) throw new Failure(`apt's sources have no Debian entry for ${release}`);
  return changed;
}

/**
 * Returns the Debian entries of a sources file for a release, with the release's backports added; '' if the file has none. `form`
 * is the file's ending (`man sources.list`): `.sources` or `.list`.
 */
export const backports = (text, form, release) => withSuites(text, form, release, suitesOf(release));

const withSuites = (text, form, release, suites) =>
  form === '.sources' ? stanzas(text, release, suites) : lines(text, release, suites);

// Other publishers use the release's name too. Debian's entries have the component `main`, and "debian" in their address or key.
const isDebian = (suites, components, whole, release) =>
  suites.includes(release) && components.includes('main') && /debian/i.test(whole);

/** Reads deb822: stanzas of `Field: value`, with continuation lines, between empty lines. */
function stanzas(text, release, suites) {
  const kept = [];
  for (const stanza of text.split(/\n\s*\n/)) {
    const field = (name) =>
      new RegExp(`^${name}:((?:.*\\n[ \\t])*.*)`, 'im').exec(stanza)?.[1].trim().split(/\s+/) ?? [];
    if (!field('Types').includes('deb') || field('Enabled')[0] === 'no') continue;
    if (!isDebian(field('Suites'), field('Components'), stanza, release)) continue;
    kept.push(
      stanza
        .trim()
        .replace(/^Types:.*$/im, 'Types: deb')
        .replace(/^Suites:(?:.*\n[ \t])*.*$/im, `Suites: ${suites.join(' ')}`),
    );
  }
  return kept.map((stanza) => `${stanza}\n\n`).join('');
}

/** Reads one entry per line: `deb [options] address suite components`. */
function lines(text, release, suites) {
  const kept = [];
  for (const line of text.split('\n')) {
    const [, head, suite, rest] = /^\s*(deb\s+(?:\[[^\]]*\]\s+)?\S+\s+)(\S+)((?:\s+[^\s#]+)*)/.exec(line) ?? [];
    if (!head || !isDebian([suite], rest.trim().split(/\s+/), head, release)) continue;
    kept.push(...suites.map((each) => `${head}${each}${rest}`));
  }
  return kept.map((line) => `${line}\n`).join('');
}
