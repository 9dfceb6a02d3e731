// Runs the tests: `node tools/test.mjs [NAME ...] [--profile NAME ...] [--jobs N] [--seconds N] [--list]`.
// A file runs in a process of its own, for a crash must not take others along, and is accounted for even if it never ends.
// NAME picks the files whose name contains it. The last line is `N passed, N failed`, with `, N skipped` if any were.
import { availableParallelism } from 'node:os';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { listTests, planRuns } from './test/plan.mjs';
import { killAll, runFile } from './test/runFile.mjs';
import { summary, totals } from './test/verdict.mjs';

// More than two at a time starve one another on few cores: a software adapter uses all of them by itself.
const MOST_JOBS = 2;
const SECONDS = 300;

const { values: flags, positionals: filters } = parseArgs({
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

const write = (text) => process.stdout.write(`${text}\n`);

const tests = listTests(flags.sources, flags.built);
const runs = planRuns(tests, filters, flags.profile);
if (typeof runs === 'string') {
  process.stderr.write(`${runs}\n`);
  process.exit(2);
}
if (flags.list) {
  for (const { title } of runs) write(title);
  process.exit();
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    killAll();
    process.kill(process.pid, signal);
  });
}

const width = Math.max(...runs.map(({ title }) => title.length));
const verdicts = [];
const waiting = [...runs];
async function work() {
  for (let run = waiting.shift(); run; run = waiting.shift()) {
    const verdict = await runFile(run, { seconds: Number(flags.seconds), strict: process.env.REQUIRE_GPU === '1' });
    verdicts.push(verdict);
    write(summary(verdict, width));
  }
}
await Promise.all(Array.from({ length: Number(flags.jobs) }, work));

const { passed, failed, skipped } = totals(verdicts);
const bad = verdicts.filter((verdict) => verdict.failed > 0);
if (bad.length > 0) write(`\nfailed: ${bad.map(({ title }) => title).join(', ')}`);
write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 && passed > 0 && verdicts.length === runs.length ? 0 : 1;
