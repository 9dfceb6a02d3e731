// Runs the tests.
// A file runs in a process of its own, for a crash must not take others along, and is accounted for even if it never ends.
// NAME picks the files whose name contains it. The last line is `N passed, N failed`, with `, N skipped` if any were.
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { asked } from './asked.mjs';
import { drivesBrowser, listTests, planRuns, profilesOf } from './test/plan.mjs';
import { runAll } from './test/runAll.mjs';
import { killAll, runFile } from './test/runFile.mjs';

const USAGE = 'npm test -- [NAME ...] [--profile NAME ...] [--jobs N] [--seconds N] [--list]';
// More than two at a time starve one another on few cores: a software adapter uses all of them by itself.
const MOST_JOBS = 2;
const SECONDS = 300;

const {
  values: flags,
  positionals: filters,
  refuse,
} = asked(USAGE, {
  allowPositionals: true,
  options: {
    profile: { type: 'string', multiple: true },
    jobs: { type: 'string', default: String(Math.min(MOST_JOBS, availableParallelism())) },
    seconds: { type: 'string', default: process.env.PADAGRAD_TEST_SECONDS ?? String(SECONDS) },
    list: { type: 'boolean' },
    // Where the tests' sources are, and what they were built to.
    sources: { type: 'string', default: 'test' },
    built: { type: 'string', default: '.build/test' },
  },
});
for (const name of ['jobs', 'seconds'])
  if (!(Number(flags[name]) > 0)) refuse(`test: --${name} must be a number > 0 but is ${flags[name]}`);

const tests = listTests(flags.sources, flags.built).filter((test) => !drivesBrowser(test));
const runs = planRuns(tests, filters, flags.profile ? () => flags.profile : profilesOf);
if (typeof runs === 'string') {
  process.stderr.write(`${runs}\n`);
  process.exit(2);
}
if (flags.list) {
  for (const { title } of runs) process.stdout.write(`${title}\n`);
  process.exit();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killAll();
    process.kill(process.pid, signal);
  });
}

// What was measured for this user's own runs decides nothing in tests, nor the other way round.
const cache = mkdtempSync(join(tmpdir(), 'padagrad-cache-'));
process.env.PADAGRAD_CACHE_DIR = cache;
process.once('exit', () => rmSync(cache, { recursive: true, force: true }));

const settings = { seconds: Number(flags.seconds), strict: process.env.REQUIRE_GPU === '1' };
process.exitCode = await runAll(runs, Number(flags.jobs), (run) => runFile(run, settings));
