// The one way in for every npm script: what is missing is installed, what is stale is built, then the program runs with
// the adapter that was found. Only Node's own modules, for on a fresh clone there are no others; all it says goes to stderr.
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { findAdapter, knownAdapter, NoAdapter } from './setup/adapter.mjs';
import { findBrowser } from './setup/browser.mjs';
import { build } from './setup/build.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { withLock } from './setup/lock.mjs';
import { Failure, runNode, say } from './setup/process.mjs';

const TSC = 'node_modules/typescript/bin/tsc';
const BIOME = 'node_modules/@biomejs/biome/bin/biome';
const PADAGRAD = '.build/cli/padagrad.mjs';

/** What each script needs installed and built, whether it computes on a GPU or in a browser, and what node then runs. */
const COMMANDS = {
  setup: { builds: 'all', gpu: true },
  build: { builds: 'again' },
  check: { runs: [TSC, '--noEmit'] },
  lint: { runs: [BIOME, 'check'] },
  start: { builds: 'programs', gpu: true, runs: [PADAGRAD, 'start'] },
  padagrad: { builds: 'programs', gpu: true, runs: [PADAGRAD] },
  example: { builds: 'all', gpu: true, runs: [] },
  bench: { builds: 'programs', gpu: true, runs: ['.build/bench/run.mjs'] },
  'bench:peers': { installs: 'bench/peers', builds: 'programs', gpu: true, runs: ['bench/peers/run.mjs'] },
  test: { builds: 'all', gpu: true, runs: ['tools/test.mjs'] },
  mutate: { gpu: true, runs: ['tools/mutate.mjs'] },
  soak: { builds: 'programs', gpu: true, runs: ['tools/soak.mjs'] },
  interop: { builds: 'all', gpu: true, runs: ['tools/interop.mjs'] },
  page: { runs: ['tools/servePage.mjs'] },
  'build:page': { runs: ['tools/buildPage.mjs'] },
  'page:pictures': { gpu: true, runs: ['tools/pictures/page.mjs'] },
  'test:browser': { builds: 'all', browser: true, runs: ['tools/testBrowser.mjs'] },
};

// These tell of the machine or of themselves: they take an adapter that is there, and set none up.
const TELLING = ['doctor', 'help', '--version', '-V'];
const HELP = ['--help', '-h'];
const onlyTells = (name, args) =>
  args.some((arg) => HELP.includes(arg)) || (name === 'padagrad' && TELLING.includes(args[0] ?? 'help'));

async function main([name, ...args]) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  if (!Object.hasOwn(COMMANDS, name))
    throw new Failure(`launch: unknown command ${name}; known are ${Object.keys(COMMANDS).join(', ')}`);
  const { installs, builds, gpu, browser, runs } = COMMANDS[name];
  const env = await withLock('.build/launch.lock', async () => {
    ensureInstalled();
    if (installs && !onlyTells(name, args)) ensureInstalled(installs);
    if (builds) build(builds);
    if (browser) return findBrowser();
    if (!gpu) return {};
    if (onlyTells(name, args)) return knownAdapter();
    return findAdapter();
  });
  return runs ? runNode([...runs, ...args], env) : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  say(error.message);
  process.exitCode = 1;
  if (error instanceof NoAdapter) {
    build('programs');
    await runNode([PADAGRAD, 'doctor'], {});
  }
}
