import { join } from 'node:path';
import { version } from '../../package.json';
import type { Gpu } from '../gpu/gpu.ts';
import type { Method } from '../train/options.ts';
import type { TrainCallbacks } from '../train/train.ts';
import type { Context } from './context.ts';
import { deviceOf } from './device.ts';
import { metricsRow, TrainingDisplay } from './display.ts';
import type { Job } from './job.ts';
import { RunFolder } from './runFolder.ts';
import type { RunSummary } from './summary.ts';
import type { Terminal } from './terminal.ts';

/** Trains once for each method and seed of a job, one after the other; an interruption ends them all. */
export async function runJob(context: Context, terminal: Terminal, gpu: Gpu, job: Job): Promise<RunSummary[]> {
  const summaries: RunSummary[] = [];
  for (const method of job.methods) {
    for (const seed of job.seeds) {
      const summary = await runOnce(context, terminal, gpu, job, method, seed);
      summaries.push(summary);
      if (job.methods.length * job.seeds.length > 1) terminal.emit({ event: 'run', ...summary });
      if (context.interruptible().aborted) return summaries;
    }
  }
  return summaries;
}

async function runOnce(
  context: Context,
  terminal: Terminal,
  gpu: Gpu,
  job: Job,
  method: Method,
  seed: number,
): Promise<RunSummary> {
  const options = { ...job.options, method, seed };
  const device = deviceOf(gpu);
  const folder = openFolder(terminal, job, method, seed, { padagrad: version, task: job.task, options, device });
  const display = new TrainingDisplay(terminal, job, options);
  const callbacks: TrainCallbacks = {
    onStart(info) {
      terminal.emit({
        event: 'start',
        task: job.task,
        options,
        device,
        parameters: info.parameters,
        sourceCount: info.sourceCount,
        targetCount: info.targetCount,
      });
      display.start(info);
    },
    onProgress(progress) {
      terminal.emit({ event: 'progress', iterations: options.iterations, ...progress });
      display.progress(progress);
    },
    onMetrics(rows) {
      folder?.append(...rows.map(metricsRow));
    },
    onClassWeight(event) {
      terminal.emit({ event: 'classWeight', ...event });
      folder?.append({ event: 'classWeight', ...event });
      display.classWeight(event);
    },
    onEvaluation(evaluation) {
      terminal.emit({ event: 'evaluation', ...evaluation });
      folder?.append({ event: 'evaluation', ...evaluation });
      // The last one, of an interrupted run too, is part of the report.
      if (evaluation.iteration < options.iterations && !settings.signal.aborted) display.evaluation(evaluation);
    },
  };
  const settings = {
    printFreq: job.printFreq ?? (terminal.isLive ? 10 : 50),
    evalFreq: job.evalFreq,
    signal: context.interruptible(),
    ...(job.targetTest && { targetTest: job.targetTest }),
    ...(job.sourceTest && { sourceTest: job.sourceTest }),
  };
  try {
    const trained = await context.train(gpu, job.data, options, settings, callbacks);
    try {
      const { result } = trained;
      const summary: RunSummary = {
        method,
        seed,
        iterations: result.iteration,
        targetAccuracy: result.targetAccuracy ?? null,
        sourceAccuracy: result.sourceAccuracy ?? null,
        classWeight: result.classWeight,
        effectiveClasses: result.effectiveClasses,
        entropy: result.entropy,
        secondsPerIteration: result.secondsPerIteration,
        seconds: result.seconds,
        aborted: result.iteration < options.iterations,
        target: result.target,
        source: result.source,
      };
      folder?.saveModel(await trained.modelBytes());
      folder?.append({ event: 'result', ...summary });
      display.end(summary);
      if (folder) terminal.line(`kept in ${folder.path}`);
      return summary;
    } finally {
      trained.dispose();
    }
  } finally {
    terminal.settle();
    folder?.close();
  }
}

/** Where a run is kept: the folder asked for, or one for each run in it where there are several. */
function openFolder(terminal: Terminal, job: Job, method: Method, seed: number, config: object): RunFolder | undefined {
  if (!job.out) return undefined;
  const parts = [...(job.methods.length > 1 ? [method] : []), ...(job.seeds.length > 1 ? [`seed-${seed}`] : [])];
  const path = join(job.out, ...parts);
  RunFolder.prepare(path);
  if (RunFolder.holdsRun(path)) terminal.note(`${path} holds an earlier run, which this one replaces`);
  return RunFolder.begin(path, config);
}
