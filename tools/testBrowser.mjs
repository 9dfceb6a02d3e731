// Runs the tests in a browser: first the files of `npm test` that a page can run, each in a page of its own and with as many tests
// as in Node, then the files that drive a browser from outside. The last line is `N passed, N failed`, as in test.mjs.
import { resolve } from 'node:path';
import process from 'node:process';
import { bundleAll } from './browser/bundle.mjs';
import { listNames } from './browser/listNames.mjs';
import { PageRunner } from './browser/runPage.mjs';
import { serve } from './browser/serve.mjs';
import { testFlags } from './test/flags.mjs';
import { drivesBrowser, listTests, pageProfilesOf, planRuns, runsInPage } from './test/plan.mjs';
import { runAll } from './test/runAll.mjs';
import { killAll, runFile } from './test/runFile.mjs';

const PAGES = '.build/pages';

const { flags, filters } = testFlags('run test:browser', {
  // The folders of the tests' sources and of the bundled tests.
  places: { sources: 'test', pages: PAGES },
});

const tests = listTests(flags.sources, '.build/test').filter((test) => drivesBrowser(test) || runsInPage(test));
const planned = planRuns(tests, filters, flags.profile ? () => flags.profile : pageProfilesOf);
if (typeof planned === 'string') {
  process.stderr.write(`${planned}\n`);
  process.exit(2);
}
if (flags.list) {
  for (const { title } of planned) process.stdout.write(`${title}\n`);
  process.exit();
}

const inPage = await bundleAll(planned.filter(runsInPage), flags.pages);
// Some files have fewer tests in some profiles.
const namesInNode = Object.fromEntries(
  [...new Set(inPage.map(({ profile }) => profile))].map((name) => [
    name,
    listNames(
      inPage.flatMap(({ file, profile }) => (file && profile === name ? file : [])),
      name,
    ),
  ]),
);
const goldenDir = resolve(process.env.GOLDEN_DIR ?? 'test/golden');
const { address, close } = await serve([flags.pages, 'test', goldenDir]);
const lanes = Array.from({ length: Number(flags.jobs) }, () => new PageRunner(address));
const settings = { seconds: Number(flags.seconds), strict: process.env.REQUIRE_GPU === '1' };
const own = Object.entries(process.env).filter(([name]) => name.startsWith('PADAGRAD_'));
const env = { ...Object.fromEntries(own), ...(process.env.GOLDEN_DIR && { GOLDEN_DIR: goldenDir }) };

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, async () => {
    killAll();
    await Promise.all(lanes.map((lane) => lane.close()));
    process.kill(process.pid, signal);
  });
}

/** Runs a file; it fails if the page has another number of tests than Node. */
async function runOne(run, lane) {
  if (drivesBrowser(run)) return runFile(run, settings);
  const verdict = await lanes[lane].run(run, { ...settings, env });
  if (verdict.failed > 0) return verdict;
  const [here, there] = [verdict.names.length, namesInNode[run.profile][run.file]?.length];
  return here === there
    ? verdict
    : { ...verdict, failed: 1, problems: [`${here} tests in the page but ${there} in Node`] };
}

/** Counts the golden cases and checkOp cases that ran in pages. */
function closing(verdicts) {
  const names = [...new Set(verdicts.flatMap((verdict) => verdict.names ?? []))];
  const count = (pattern) => names.filter((name) => pattern.test(name)).length;
  const [golden, ops] = [count(/^golden /), count(/gives the reference's numbers and gradient$/)];
  return [`in the browser: ${golden} golden cases, ${ops} checkOp cases`];
}

const runs = [...inPage, ...planned.filter(drivesBrowser)];
process.exitCode = await runAll(runs, lanes.length, runOne, closing);
await Promise.all(lanes.map((lane) => lane.close()));
close();
