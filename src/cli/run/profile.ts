import { writeFileSync } from 'node:fs';
import { measurePeaks, peakGflops } from '../../debug/peaks.ts';
import { chromeTrace, reportProfile, reportTable } from '../../debug/profile.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import { trainArguments } from '../../train/methods/named.ts';
import { Trainer } from '../../train/trainer.ts';
import { UsageError } from '../errors.ts';
import { columns } from '../show/bars.ts';
import { milliseconds } from '../show/format.ts';
import type { Terminal } from '../show/terminal.ts';
import { reasonOf } from './files.ts';
import type { Job } from './job.ts';

export const WARM_UP = 2;
export const TIMED = 4;

/** Profiles a few iterations of a job: prints a table, emits an event, and writes a Chrome trace to `file` if one is named. */
export async function profileJob(terminal: Terminal, gpu: Gpu, job: Job, file: string | undefined): Promise<void> {
  // Without the cheaper iterations that self-training begins with.
  const options = { ...job.options[0], seed: job.seeds[0]!, pseudoFrom: 0 };
  const trainer = await Trainer.create({ gpu, ...job.data, ...trainArguments(options), model: job.model });
  try {
    for (let i = 0; i < WARM_UP; i++) await trainer.step();
    const profile = await gpu.profile(async () => {
      for (let i = 0; i < TIMED; i++) await trainer.step();
    });
    const peaks = await measurePeaks(gpu);
    const report = reportProfile(profile, peaks);
    const [head, ...rows] = reportTable(report);
    const clock = profile.clock === 'timestamps' ? 'GPU timestamps' : 'wall clock over repeated dispatches';
    terminal.line(columns(head!, rows));
    terminal.line(
      `${TIMED} iterations, ${clock}, kernels timed one at a time: ${milliseconds(profile.seconds / TIMED)} and ${Math.round(report.dispatches / TIMED)} dispatches per iteration`,
    );
    terminal.line(
      `% of peak: relative to ${peakGflops(peaks).toFixed(0)} GFLOP/s (kernels with a FLOP count) or ${peaks.copyGbps.toFixed(1)} GB/s copy, both measured here`,
    );
    terminal.emit({ event: 'profile', iterations: TIMED, ...report });
    if (!file) return;
    writeTrace(file, chromeTrace(profile));
    terminal.line(`trace in ${file}: open it in chrome://tracing or ui.perfetto.dev`);
  } finally {
    trainer.dispose();
  }
}

/** Writes a trace. Without `text` it only checks that the file can be written. @throws UsageError */
export function writeTrace(file: string, text = ''): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new UsageError(`--profile ${file}: cannot be written: ${reasonOf(cause)}`, { cause });
  }
}
