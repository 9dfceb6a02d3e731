import { writeFileSync } from 'node:fs';
import { type Peaks, peakGflops } from '../../debug/peaks.ts';
import { chromeTrace, reportProfile, reportTable } from '../../debug/profile.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Profile } from '../../gpu/profiler.ts';
import type { Context } from '../context.ts';
import { UsageError } from '../errors.ts';
import { reasonOf } from '../run/files.ts';
import type { Job } from '../run/job.ts';
import { columns } from './bars.ts';
import { milliseconds } from './format.ts';
import type { Terminal } from './terminal.ts';

/** Some iterations of a training, kernel by kernel, and what the adapter does at most. */
export interface MeasuredIterations {
  profile: Profile;
  iterations: number;
  peaks: Peaks;
}

/** Profiles a job's first iterations ahead of the run itself: a table, an event, and a trace in `file` where one is named. */
export async function profileJob(
  context: Context,
  terminal: Terminal,
  gpu: Gpu,
  job: Job,
  file: string | undefined,
): Promise<void> {
  const options = { ...job.options, method: job.methods[0]!, seed: job.seeds[0]! };
  const { profile, iterations, peaks } = await context.profile(gpu, job.data, options);
  const report = reportProfile(profile, peaks);
  const [head, ...rows] = reportTable(report);
  const clock = profile.clock === 'timestamps' ? "the GPU's timestamps" : 'the wall clock over repeated dispatches';
  terminal.line(columns(head!, rows));
  terminal.line(
    `${iterations} iterations by ${clock}, each kernel by itself: ${milliseconds(profile.seconds / iterations)} and ${Math.round(report.dispatches / iterations)} dispatches an iteration`,
  );
  terminal.line(
    `% of peak: of ${peakGflops(peaks).toFixed(0)} GFLOP/s of multiply-adds where operations are counted, else of ${peaks.copyGbps.toFixed(1)} GB/s copied, as measured here`,
  );
  terminal.emit({ event: 'profile', iterations, ...report });
  if (!file) return;
  writeTrace(file, chromeTrace(profile));
  terminal.line(`trace in ${file}: open it in chrome://tracing or ui.perfetto.dev`);
}

/** Writes a trace, or an empty file to find out early whether one can be written. @throws UsageError */
export function writeTrace(file: string, text = ''): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new UsageError(`--profile ${file}: cannot be written: ${reasonOf(cause)}`, { cause });
  }
}
