// Records what the page's worker reports, in Node, so that `tools/pictures/page.mjs` can show a finished run in a browser.
// Without a GPU, Node's adapter is many times faster than the browser's.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openGpu } from '../shared/openGpu.ts';
import { PIXELS, type Report } from './protocol.ts';
import type { Settings } from './settings.ts';
import { loadImages } from './worker/images.ts';
import { Runner } from './worker/runner.ts';

/** A finished run: every report in order, the networks' answers for the first handwritten image, and their analyses. */
export interface Recording {
  reports: Report[];
  answers: Report;
  analyses: Report;
}

/**
 * Trains with the settings and returns what the worker reported.
 *
 * @param folder the built page, which contains the digits
 * @param options.iterations when to pause; 0 trains to the end
 * @param options.onProgress called with the iterations that each method has done
 */
export async function record(
  folder: string,
  settings: Settings,
  { iterations, onProgress }: { iterations: number; onProgress(done: number[]): void },
): Promise<Recording> {
  globalThis.fetch = async (file) => new Response(readFileSync(join(folder, String(file))));
  const reports: Report[] = [];
  let hear: (report: Report) => void = () => {};
  const runner = new Runner(
    (report) => {
      reports.push(report);
      hear(report);
    },
    { images: (task) => loadImages(task, ''), gpu: openGpu },
  );
  runner.work();
  const next = <K extends Report['type']>(type: K, onReport: (report: Report) => void = () => {}) =>
    new Promise<Extract<Report, { type: K }>>((resolve, reject) => {
      hear = (report) => {
        onReport(report);
        if (report.type === 'failed') reject(new Error(report.text));
        if (report.type === type) resolve(report as Extract<Report, { type: K }>);
      };
    });
  const ready = next('ready');
  runner.take({ type: 'begin', settings, revision: 1 });
  const { samples } = await ready;
  const stopped = next('stopped', (report) => {
    if (report.type !== 'progress') return;
    const done = report.runs.map(({ iteration }) => iteration);
    onProgress(done);
    if (iterations && Math.min(...done) >= iterations) runner.take({ type: 'pause' });
  });
  runner.take({ type: 'run' });
  await stopped;
  // The worker answers once it is at rest: after its last snapshot, if the machine is fast enough for one.
  const answered = next('answers');
  runner.take({ type: 'draw', pixels: samples.target.slice(0, PIXELS), drawing: 1 });
  const answers = await answered;
  const analysed = next('analyses');
  runner.take({ type: 'analyse' });
  const analyses = await analysed;
  const later: Report['type'][] = ['answers', 'analysing', 'analyses'];
  return { reports: reports.filter(({ type }) => !later.includes(type)), answers, analyses };
}
