// Runs the tests: `npm test -- [NAME ...]`, where NAME picks the test files whose name contains it; all by default.
// Each file runs in a process of its own, so a crash or an endless loop fails that file only. The last line is
// `N passed, N failed`, and `, N skipped` if any were.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { testFlags } from './test/flags.mjs';
import { drivesBrowser, listTests, planRuns, profilesOf, startingOrder } from './test/plan.mjs';
import { runAll } from './test/runAll.mjs';
import { killAll, runFile } from './test/runFile.mjs';

const { flags, filters } = testFlags('test', {
  seconds: process.env.PADAGRAD_TEST_SECONDS,
  // The folders of the tests' sources and of the built tests.
  places: { sources: 'test', built: '.build/test' },
});

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

// A line per pipeline that a test made, which names its kernel.
const temporary = mkdtempSync(join(tmpdir(), 'padagrad-test-'));
process.once('exit', () => rmSync(temporary, { recursive: true, force: true }));
const pipelines = join(temporary, 'pipelines');
function countPipelines() {
  if (!existsSync(pipelines)) return [];
  const made = readFileSync(pipelines, 'utf8').trim().split('\n');
  return [`${made.length} pipelines made, ${new Set(made).size} of them different`];
}

const settings = { seconds: Number(flags.seconds), strict: process.env.REQUIRE_GPU === '1', pipelines };
process.exitCode = await runAll(
  startingOrder(runs),
  Number(flags.jobs),
  (run) => runFile(run, settings),
  countPipelines,
);
