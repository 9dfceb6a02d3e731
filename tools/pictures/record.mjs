// What the page's worker would report, from the same code run in Node: on a machine without a GPU that is many times faster
// than in a browser. Bundled before it runs, for its imports are TypeScript.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Conductor } from '../../demo/engine/conductor.ts';
import { loadDigits } from '../../demo/engine/digits.ts';
import { openMachine } from '../../demo/engine/machine.ts';

/** Trains with these settings, for so many iterations or to the end (0); gives the reports, and what the networks say of the strip's first image. */
export async function record(folder, settings, iterations, tell) {
  globalThis.fetch = async (file) => new Response(readFileSync(join(folder, file)));
  const reports = [];
  let hear = () => {};
  const conductor = new Conductor(
    (report) => {
      reports.push(report);
      hear(report);
    },
    { digits: () => loadDigits('digits/'), machine: openMachine },
  );
  conductor.run();
  const until = (wanted) =>
    new Promise((resolve, reject) => {
      hear = (report) => {
        if (report.type === 'failed') reject(new Error(report.text));
        if (wanted(report)) resolve(report);
      };
    });
  const ready = until(({ type }) => type === 'ready');
  conductor.take({ type: 'begin', settings, revision: 1 });
  const { samples } = await ready;
  const stopped = until((report) => {
    if (report.type === 'progress') {
      const done = report.figures.map(({ iteration }) => iteration);
      tell(done);
      if (iterations && Math.min(...done) >= iterations) conductor.take({ type: 'pause' });
    }
    return report.type === 'stopped';
  });
  conductor.take({ type: 'run' });
  await stopped;
  await until(({ type }) => type === 'looks');
  const answered = until(({ type }) => type === 'answers');
  conductor.take({ type: 'draw', pixels: samples.strip.slice(0, 28 * 28), drawing: 1 });
  const answers = await answered;
  return { reports: reports.filter((report) => report !== answers), answers };
}
