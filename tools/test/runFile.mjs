import { spawn } from 'node:child_process';
import process from 'node:process';
import { environmentOf } from './plan.mjs';
import { judge } from './verdict.mjs';

const NAME_SKIPPED = new URL('./nameSkipped.mjs', import.meta.url).href;
const COUNT_PIPELINES = new URL('./countPipelines.mjs', import.meta.url).href;
const running = new Set();

/** Runs one test file in a process of its own; gives its verdict (verdict.mjs). Never throws. */
export async function runFile({ name, title, file, profile }, { seconds, strict, pipelines }) {
  if (!file) return judge({ title, seconds: 0, output: '', problem: 'was not built' }, strict);
  const start = performance.now();
  const { FORCE_COLOR: _, ...env } = process.env;
  // What the file itself starts makes pipelines too.
  const counted = pipelines && {
    PADAGRAD_TEST_PIPELINES: pipelines,
    NODE_OPTIONS: `${env.NODE_OPTIONS ?? ''} --import ${COUNT_PIPELINES}`,
  };
  // A process group of its own, so that what the file itself started ends with it.
  const child = spawn(process.execPath, ['--import', NAME_SKIPPED, file], {
    env: { ...environmentOf(name, profile), ...env, ...counted, NO_COLOR: '1', PADAGRAD_TEST_PROFILE: profile },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
  });
  running.add(child);
  let output = '';
  let errors = '';
  let problem;
  // Each test prints its mark. A busy machine makes a file slow but not silent, so only silence is limited.
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

/** Ends all files that run, and what they started. */
export function killAll() {
  for (const child of running) kill(child);
}

function kill(child) {
  try {
    if (process.platform === 'win32') child.kill('SIGKILL');
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
