// Runs test files and prints their verdicts.
import process from 'node:process';
import { CLOSING } from './runFile.mjs';

// uvu prints a mark per test before whatever the test prints, and a count after the last one.
const MARKS = /^(?:[•✘] ?)+/;
const COUNT = /^\s*\(\d+ \/ \d+\)$/;

const write = (text) => process.stdout.write(`${text}\n`);

/**
 * Runs every file, `jobs` at a time, and prints a line as each ends, then the lines that `closing(verdicts)` returns, then the
 * counts. Returns the exit code.
 */
export async function runAll(runs, jobs, runOne, closing = () => []) {
  const width = Math.max(...runs.map(({ title }) => title.length));
  const verdicts = [];
  const waiting = [...runs];
  async function work(_, job) {
    for (let run = waiting.shift(); run; run = waiting.shift()) {
      const verdict = await runOne(run, job);
      verdicts.push(verdict);
      write(summary(verdict, width));
    }
  }
  await Promise.all(Array.from({ length: jobs }, work));

  const sum = (count) => verdicts.reduce((total, verdict) => total + verdict[count], 0);
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(sum);
  const bad = verdicts.filter((verdict) => verdict.failed > 0);
  if (bad.length > 0) write(`\nfailed: ${bad.map(({ title }) => title).join(', ')}`);
  for (const line of closing(verdicts)) write(`\n${line}`);
  write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0 && passed > 0 && verdicts.length === runs.length ? 0 : 1;
}

/** One line for a file, followed by what its tests printed, or by all of its output if it failed. */
function summary({ title, seconds, passed, failed, skipped, problems, output, errors }, width) {
  const counts = [`${passed} passed`, failed > 0 && `${failed} FAILED`, skipped > 0 && `${skipped} skipped`];
  const line = `${title.padEnd(width)}  ${counts.filter(Boolean).join(', ').padEnd(12)} ${seconds.toFixed(1).padStart(6)} s`;
  if (failed === 0) return [line, ...notes(output)].join('\n');
  const reason = problems.length > 0 ? [`  ${title}: ${problems.join('; ')}`] : [];
  const printed = `${output}\n${errors}`.split('\n').filter((text) => text.trim() !== '');
  return [line, ...reason, ...printed.map((text) => `  | ${text}`)].join('\n');
}

/** The lines that the tests printed, without uvu's own. */
const notes = (output) =>
  output
    .replace(CLOSING, '')
    .split('\n')
    .map((line) => line.replace(MARKS, ''))
    .filter((line) => line.trim() !== '' && !COUNT.test(line));
