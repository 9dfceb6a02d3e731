import process from 'node:process';
import { summary, totals } from './verdict.mjs';

const write = (text) => process.stdout.write(`${text}\n`);

/** Runs every file, `jobs` at a time, a line for each as it ends, then the counts; gives the exit code. */
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

  const { passed, failed, skipped } = totals(verdicts);
  const bad = verdicts.filter((verdict) => verdict.failed > 0);
  if (bad.length > 0) write(`\nfailed: ${bad.map(({ title }) => title).join(', ')}`);
  for (const line of closing(verdicts)) write(`\n${line}`);
  write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0 && passed > 0 && verdicts.length === runs.length ? 0 : 1;
}
