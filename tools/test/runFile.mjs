// Runs one test file in a process of its own and judges what it printed and how it ended.
import { spawn } from 'node:child_process';
import process from 'node:process';
import { environmentOf } from './plan.mjs';

const NAME_SKIPPED = new URL('./nameSkipped.mjs', import.meta.url).href;
const COUNT_PIPELINES = new URL('./countPipelines.mjs', import.meta.url).href;

// uvu's closing lines. A test that runs test programs prints theirs before them.
export const CLOSING = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)\n {2}Duration: .*$/gm;

const running = new Set();

/** Runs one test file; returns its verdict (see {@link judge}). Never throws. */
export async function runFile({ name, title, file, profile }, { seconds, strict, pipelines }) {
  if (!file) return judge({ title, seconds: 0, output: '', problem: 'was not built' }, strict);
  const start = performance.now();
  const { FORCE_COLOR: _, ...env } = process.env;
  // NODE_OPTIONS also reaches the programs that the file starts.
  const counted = pipelines && {
    PADAGRAD_TEST_PIPELINES: pipelines,
    NODE_OPTIONS: `${env.NODE_OPTIONS ?? ''} --import ${COUNT_PIPELINES}`,
  };
  // A process group of its own, so that the programs that the file starts can be ended with it.
  const child = spawn(process.execPath, ['--import', NAME_SKIPPED, file], {
    env: { ...environmentOf(name), ...env, ...counted, NO_COLOR: '1', PADAGRAD_TEST_PROFILE: profile },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  running.add(child);
  let output = '';
  let errors = '';
  let problem;
  // uvu prints a mark after each test. A busy machine makes a file slow but not silent, so the limit is on silence.
  const limit = setTimeout(() => {
    problem = `printed nothing for ${seconds} s`;
    kill(child);
  }, seconds * 1000);
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
    limit.refresh();
  });
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  await new Promise((resolve) => {
    child.on('error', (error) => {
      problem = error.message;
      resolve();
    });
    child.on('close', (code, signal) => {
      problem ??= signal ? `was ended by ${signal}` : code === 0 ? undefined : `exit code ${code}`;
      resolve();
    });
  });
  clearTimeout(limit);
  running.delete(child);
  return judge({ title, seconds: (performance.now() - start) / 1000, output, errors, problem }, strict);
}

/**
 * Returns the verdict on a file: its counts, its problems and what it printed. Any doubt is a failure: missing closing lines, no
 * tests, an exit code, a test that did not run. With `strict`, skipped tests fail too.
 */
export function judge({ title, seconds, output, errors = '', problem }, strict) {
  const closing = [...output.matchAll(CLOSING)].at(-1);
  const [total, passed, skipped] = closing ? closing.slice(1).map(Number) : [0, 0, 0];
  const problems = [];
  // uvu exits with 1 when tests fail, which its counts say already.
  if (problem && !(problem === 'exit code 1' && passed < total)) problems.push(problem);
  if (!problem && passed < total)
    problems.push(`${total - passed} of ${total} tests did not run; look at the hooks (before, after)`);
  if (!closing && !problem) problems.push('ended without the closing lines of its tests');
  if (closing && total === 0 && skipped === 0) problems.push('has no tests');
  if (strict && skipped > 0) problems.push(`${skipped} skipped, and REQUIRE_GPU=1 allows none`);
  const failed = Math.max(total - passed + (strict ? skipped : 0), problems.length > 0 ? 1 : 0);
  return { title, seconds, passed, failed, skipped: strict ? 0 : skipped, problems, output, errors };
}

/** Ends all files that run, and the programs that they started. */
export function killAll() {
  for (const child of running) kill(child);
}

function kill(child) {
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended in the meantime.
  }
}
