// Finds the browser of the browser tests: an installed Chrome or Chromium, or one that it installs or unpacks.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import process from 'node:process';
import { brotliDecompressSync } from 'node:zlib';
import { hasApt, installPackages, isRoot } from '../../src/cli/setup/apt.mjs';
import { attempt, Failure, say } from '../../src/cli/setup/process.mjs';

const NAMES = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser', 'chrome', 'chrome.exe'];
const PLACES = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
  'C:/Program Files (x86)/Google/Chrome/Application/chrome.exe',
];

// Files of the npm package @sparticuz/chromium: a headless Chromium, its SwiftShader, and libraries that a bare system lacks.
const PACKAGE = 'node_modules/@sparticuz/chromium/bin';
const FOLDER = '.build/chromium';
const UNPACKED = join(FOLDER, 'chromium');

const WAYS = { apt: installChromium, unpack: unpackChromium };

/** Returns changes to the environment that set CHROME_PATH; installs or unpacks a browser if there is none. Throws {@link Failure}. */
export function findBrowser() {
  const named = process.env.CHROME_PATH;
  if (named && !existsSync(named)) throw new Failure(`set-up: CHROME_PATH is ${named}, which does not exist`);
  const found = named || installed();
  if (found) return { CHROME_PATH: found };
  if (existsSync(UNPACKED)) return unpacked();
  const reasons = [];
  const { platform, arch } = process;
  for (const way of waysToBrowser({ platform, arch, root: isRoot(), apt: hasApt() })) {
    try {
      return WAYS[way]();
    } catch (error) {
      reasons.push(`${way}: ${error.message}`);
      say(`set-up: ${reasons.at(-1)}`);
    }
  }
  const advice = 'set-up: no Chrome or Chromium is installed; install one, or set CHROME_PATH to its path';
  throw new Failure([advice, ...reasons].join('\n  '));
}

/** Lists the ways to a browser that may work on a machine, best first. */
export function waysToBrowser({ platform, arch, root, apt }) {
  const ways = [];
  if (platform === 'linux' && root && apt) ways.push('apt');
  if (platform === 'linux' && arch === 'x64') ways.push('unpack');
  return ways;
}

/** Returns the first installed browser that runs. Ubuntu's chromium-browser may be a script that only asks for snap. */
function installed() {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const paths = [...NAMES.flatMap((name) => folders.map((folder) => join(folder, name))), ...PLACES];
  return paths.find((path) => existsSync(path) && (process.platform !== 'linux' || runs(path)));
}

const runs = (path) => spawnSync(path, ['--version'], { stdio: 'ignore', timeout: 20_000 }).status === 0;

function installChromium() {
  installPackages(['chromium'], { why: 'no Chrome or Chromium: installing Chromium' });
  const found = installed();
  if (!found) throw new Failure('the package chromium was installed, but its browser does not run');
  return { CHROME_PATH: found };
}

/** Unpacks a headless Chromium; returns changes to the environment that name it. Throws {@link Failure}. */
export function unpackChromium() {
  say(`no Chrome or Chromium: unpacking a headless one (no root needed) to ${FOLDER}`);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const content = (name) => brotliDecompressSync(readFileSync(join(PACKAGE, name)));
  for (const archive of ['swiftshader.tar.br', 'al2023.tar.br']) {
    const options = { input: content(archive), stdio: ['pipe', 2, 2] };
    const failure = attempt('tar', ['-x', '-f', '-', '-C', FOLDER], options);
    if (failure) throw new Failure(failure);
  }
  // Written last: if it exists, everything was unpacked.
  writeFileSync(UNPACKED, content('chromium.br'), { mode: 0o755 });
  return unpacked();
}

function unpacked() {
  const libraries = [process.env.LD_LIBRARY_PATH, resolve(FOLDER, 'lib')].filter(Boolean).join(':');
  return { CHROME_PATH: resolve(UNPACKED), LD_LIBRARY_PATH: libraries };
}
