import { join } from 'node:path';
import { version } from '../../../package.json';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { NotFiniteError } from '../../train/notFinite.ts';
import type { Method, TrainingOptions } from '../../train/options.ts';
import type { TrainCallbacks } from '../../train/train.ts';
import type { Context } from '../context.ts';
import { type Device, describeDevice, deviceOf } from '../device.ts';
import { UsageError } from '../errors.ts';
import { flagOf } from '../flags.ts';
import { compileNotice, metricsRow, TrainingDisplay } from '../show/report.ts';
import type { RunSummary } from '../show/summary.ts';
import type { Terminal } from '../show/terminal.ts';
import { checksumOf, type RunConfig } from './config.ts';
import { RunFolder } from './folder.ts';
import type { Job } from './job.ts';

/** Trains once for each method and seed of a job, one after the other; an interruption ends them all. */
export async function runJob(context: Context, terminal: Terminal, gpu: Gpu, job: Job): Promise<RunSummary[]> {
  const summaries: RunSummary[] = [];
  const sayStopping = (): void => terminal.note('stopping, then testing what was reached; once more ends it at once');
  const signal = context.interruptible();
  signal.addEventListener('abort', sayStopping);
  // The caller's, and those opened where one was lost.
  const gpus = [gpu];
  const reopen = async (): Promise<Gpu> => {
    gpus.push(await context.openGpu(job.options.float32MatmulPrecision));
    return gpus.at(-1)!;
  };
  if (job.detectAnomaly)
    terminal.note('--detect-anomaly looks at what every op computes: an iteration takes two to three times as long');
  try {
    for (const method of job.methods) {
      for (const seed of job.seeds) {
        const summary = await runOnce(context, terminal, gpus.at(-1)!, reopen, job, method, seed);
        summaries.push(summary);
        if (job.methods.length * job.seeds.length > 1) terminal.emit({ event: 'run', ...summary });
        if (signal.aborted) return summaries;
      }
    }
    return summaries;
  } finally {
    signal.removeEventListener('abort', sayStopping);
    for (const opened of gpus.slice(1)) opened.dispose();
  }
}

async function runOnce(
  context: Context,
  terminal: Terminal,
  gpu: Gpu,
  reopen: () => Promise<Gpu>,
  job: Job,
  method: Method,
  seed: number,
): Promise<RunSummary> {
  const options = { ...job.options, method, seed };
  const device = deviceOf(gpu);
  const { folder, resume } = await openFolder(terminal, job, options, device);
  const display = new TrainingDisplay(terminal, job, options);
  const callbacks: TrainCallbacks = {
    onCompile: compileNotice(terminal),
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
      if (!event.classWeight.every(Number.isFinite)) throw new NotFiniteError(event.iteration - 1, 'class weight');
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
    onCheckpoint: (checkpoint) => folder?.keepCheckpoint(checkpoint),
    onLost({ iteration, error }) {
      terminal.note(`${error.message}; another device goes on after ${iteration} iterations`);
    },
  };
  const settings = {
    printFreq: job.printFreq ?? (terminal.isLive ? 10 : 50),
    evalFreq: job.evalFreq,
    checkpointEvery: job.checkpointEvery,
    detectAnomaly: job.detectAnomaly,
    reopen,
    ...(resume && { resume }),
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
        secondsToFirstStep: result.secondsToFirstStep,
        aborted: result.iteration < options.iterations,
        target: result.target,
        source: result.source,
      };
      // Figures first: they are all there is if the model cannot be written.
      display.end(summary);
      folder?.finish(await trained.modelBytes(), { event: 'result', ...summary });
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

/** Where a run is kept: the folder asked for, or one for each run in it where there are several; and where it goes on from. */
async function openFolder(
  terminal: Terminal,
  job: Job,
  options: TrainingOptions,
  device: Device,
): Promise<{ folder?: RunFolder; resume?: Checkpoint }> {
  if (!job.out) return {};
  const { methods, seeds, task, data, printFreq = null, evalFreq, checkpointEvery, perClassEval } = job;
  const parts = [
    ...(methods.length > 1 ? [options.method] : []),
    ...(seeds.length > 1 ? [`seed-${options.seed}`] : []),
  ];
  const path = join(job.out, ...parts);
  RunFolder.prepare(path, job.resume ? '--resume' : '--out');
  const folder = RunFolder.take(path, (message) => terminal.warning(message));
  try {
    if (job.resume) return { folder, ...(await goOn(terminal, folder, job.resume, device)) };
    if (RunFolder.holdsRun(path)) terminal.note(`${path} holds an earlier run, which this one replaces`);
    folder.begin({
      padagrad: version,
      task,
      options,
      watch: { printFreq, evalFreq, checkpointEvery, perClassEval },
      data: { source: checksumOf(data.source), target: checksumOf(data.target) },
      device,
    });
    return { folder };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Finds where a run goes on from, and says so. */
async function goOn(
  terminal: Terminal,
  folder: RunFolder,
  config: RunConfig,
  device: Device,
): Promise<{ resume?: Checkpoint }> {
  const { device: before, padagrad } = config;
  const another =
    describeDevice(before) !== describeDevice(device) ||
    before.gemmFamily !== device.gemmFamily ||
    before.subgroupSize !== device.subgroupSize;
  if (another || padagrad !== version)
    terminal.warning(
      `the run began on ${describeDevice(before)} with padagrad ${padagrad}; here it comes to other bits than it would have there`,
    );
  const found = await folder.goOn(config);
  if (!found) {
    terminal.note(`${folder.path} has no checkpoint to go on from: from the beginning`);
    return {};
  }
  const { name, checkpoint } = found;
  const other = (Object.keys(config.options) as (keyof TrainingOptions)[]).filter(
    (option) => config.options[option] !== checkpoint.options[option],
  );
  const list = other.map(
    (key) => `${flagOf(key)} is ${config.options[key]} there but ${checkpoint.options[key]} in ${name}`,
  );
  if (list.length > 0) {
    throw new UsageError(`${folder.path}: config.json is not that of its checkpoint: ${list.join('; ')}`);
  }
  terminal.note(`going on after ${checkpoint.iteration} iterations, from ${name}`);
  return { resume: checkpoint };
}
