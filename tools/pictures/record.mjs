// What the page's worker would report, from the same code run in Node: on a machine without a GPU that is many times faster
// than in a browser. Bundled before it runs, for its imports are TypeScript.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Conductor } from '../../demo/engine/conductor.ts';
import { loadDigits } from '../../demo/engine/digits.ts';
import { openMachine } from '../../demo/engine/machine.ts';

/** Trains with these settings for so many iterations; gives the reports, and what the networks say of the strip's first image. */
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
  conductor.take({ type: 'begin', settings });
  const { samples } = await ready;
  const reached = until((report) => {
    if (report.type === 'progress') tell(report.figures.map(({ iteration }) => iteration));
    return report.type === 'stopped' || (report.type === 'progress' && report.figures[0].iteration >= iterations);
  });
  conductor.take({ type: 'run' });
  await reached;
  // A pause on a slow adapter would leave the last look out.
  const looked = until(({ type }) => type === 'looks');
  conductor.take({ type: 'pause' });
  const answered = until(({ type }) => type === 'answers');
  conductor.take({ type: 'draw', pixels: samples.strip.slice(0, 28 * 28) });
  const answers = await answered;
  await Promise.race([looked, new Promise((resolve) => setTimeout(resolve, 5000))]);
  return { reports: reports.filter((report) => report !== answers), answers };
}
