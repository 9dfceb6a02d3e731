// Every npm script goes through this file. It installs missing packages, builds what is out of date, finds an adapter and runs the
// program. It imports only Node's own modules, because a fresh clone has no others. Its messages go to stderr.
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { findAdapter, knownAdapter, NoAdapter } from '../src/cli/setup/adapter.mjs';
import { Failure, runNode, say } from '../src/cli/setup/process.mjs';
import { ARCHIVE } from '../src/cli/setup/swiftshader.mjs';
import { findBrowser } from './setup/browser.mjs';
import { build } from './setup/build.mjs';
import { ensureInstalled } from './setup/install.mjs';
import { withLock } from './setup/lock.mjs';

const TSC = 'node_modules/typescript/bin/tsc';
const BIOME = 'node_modules/@biomejs/biome/bin/biome';
const PADAGRAD = '.build/cli/padagrad.mjs';

// The folder in which a clone keeps SwiftShader (src/cli/setup/adapter.mjs).
const CLONE = {
  folder: '.build/swiftshader',
  withArchive: (use) => use(ARCHIVE),
  toLavapipe: '`rm -r .build/swiftshader; npm run setup` as root',
};

/** Per script: the packages and builds that it needs, whether it needs a GPU or a browser, and the program that Node runs. */
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
  'gpu-compile': { runs: ['tools/gpu-compile/run.mjs'] },
  soak: { builds: 'all', gpu: true, runs: ['tools/soak.mjs'] },
  interop: { builds: 'all', gpu: true, runs: ['tools/interop.mjs'] },
  page: { runs: ['tools/servePage.mjs'] },
  'build:page': { runs: ['tools/buildPage.mjs'] },
  'page:pictures': { gpu: true, runs: ['tools/pictures/page.mjs'] },
  'test:browser': { builds: 'all', browser: true, runs: ['tools/testBrowser.mjs'] },
};

// Commands that only print information use an adapter that exists and do not install one.
const INFORMING = ['doctor', 'help', '--version', '-V'];
const HELP = ['--help', '-h'];
const onlyInforms = (name, args) =>
  args.some((arg) => HELP.includes(arg)) || (name === 'padagrad' && INFORMING.includes(args[0] ?? 'help'));

async function main([name, ...args]) {
  process.chdir(fileURLToPath(new URL('..', import.meta.url)));
  if (!Object.hasOwn(COMMANDS, name))
    throw new Failure(`launch: unknown command ${name}; known are ${Object.keys(COMMANDS).join(', ')}`);
  const { installs, builds, gpu, browser, runs } = COMMANDS[name];
  const env = await withLock('.build/launch.lock', async () => {
    ensureInstalled();
    if (installs && !onlyInforms(name, args)) ensureInstalled(installs);
    if (builds) build(builds);
    if (browser) return findBrowser();
    if (!gpu) return {};
    if (onlyInforms(name, args)) return knownAdapter(CLONE);
    return findAdapter(CLONE);
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
