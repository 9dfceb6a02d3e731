// Does the runs of a job one after the other: trains, reports, and keeps each run's folder up to date. It ends early when a signal
// comes, and continues on another device when one is lost.
import { join } from 'node:path';
import { version } from '../../../package.json';
import { inGeometry } from '../../data/geometry.ts';
import type { HostData } from '../../data/host.ts';
import { NotFiniteError } from '../../debug/finiteWatch.ts';
import type { Gpu } from '../../gpu/gpu.ts';
import type { Classifier } from '../../models/classifier.ts';
import type { Checkpoint } from '../../train/checkpoint.ts';
import { type TrainResult, train } from '../../train/loop.ts';
import { methodsWith, type RunOptions, runOptionsOf, trainArguments } from '../../train/methods/named.ts';
import { encodeModel } from '../../train/modelFile.ts';
import type { Trainer } from '../../train/trainer.ts';
import { EXIT, UsageError } from '../errors.ts';
import { flagOf } from '../flagValues.ts';
import { type Device, describeDevice, deviceOf, openGpu } from '../gpu.ts';
import { classes as classList } from '../show/format.ts';
import { compileNotice, RunReport } from '../show/report.ts';
import type { RunSummary } from '../show/summary.ts';
import type { Terminal } from '../show/terminal.ts';
import { checksumOf, type RunConfig } from './config.ts';
import { RunFolder } from './folder.ts';
import { curvesOf, htmlReport, predictImages } from './htmlReport.ts';
import type { Job } from './job.ts';
import type { Row } from './metricsFile.ts';

/** Trains once per method and seed of a job. An interruption ends the current run early and skips the others. */
export async function runJob(
  terminal: Terminal,
  gpu: Gpu,
  job: Job,
): Promise<{ runs: RunSummary[]; exitCode: number }> {
  const runs: RunSummary[] = [];
  const planned = job.options.flatMap((options) => job.seeds.map((seed) => ({ ...options, seed })));
  const interrupt = listenForSignals(() =>
    terminal.note('stopping and evaluating; press Ctrl-C again to quit immediately'),
  );
  // The caller's Gpu, and one more after each loss of a device.
  const gpus = [gpu];
  const reopen = async (): Promise<Gpu> => {
    gpus.push(await openGpu(job.options[0].float32MatmulPrecision));
    return gpus.at(-1)!;
  };
  if (job.detectAnomaly)
    terminal.note('--detect-anomaly checks every op, so an iteration takes two to three times as long');
  try {
    for (const options of planned) {
      const summary = await runOnce(terminal, job, options, { gpu: gpus.at(-1)!, reopen, signal: interrupt.signal });
      runs.push(summary);
      if (planned.length > 1) terminal.emit({ event: 'run', ...summary });
      if (interrupt.signal.aborted) break;
    }
    return { runs, exitCode: interrupt.exitCode() };
  } finally {
    interrupt.dispose();
    for (const opened of gpus.slice(1)) opened.dispose();
  }
}

/** Aborts a signal at the first SIGINT or SIGTERM; the second one ends the process. */
function listenForSignals(onFirst: () => void) {
  const controller = new AbortController();
  const listener = (name: 'SIGINT' | 'SIGTERM'): void => {
    if (controller.signal.aborted) process.exit(EXIT[name]);
    controller.abort(name);
    onFirst();
  };
  process.on('SIGINT', listener).on('SIGTERM', listener);
  return {
    signal: controller.signal,
    exitCode: (): number =>
      controller.signal.aborted ? EXIT[controller.signal.reason as 'SIGINT' | 'SIGTERM'] : EXIT.ok,
    dispose: () => void process.off('SIGINT', listener).off('SIGTERM', listener),
  };
}

/** Trains once: opens the run's folder, trains, and saves the model. */
async function runOnce(
  terminal: Terminal,
  job: Job,
  options: RunOptions,
  { gpu, reopen, signal }: { gpu: Gpu; reopen: () => Promise<Gpu>; signal: AbortSignal },
): Promise<RunSummary> {
  const device = deviceOf(gpu);
  const { folder, checkpoint } = await openFolder(terminal, job, options, device);
  const report = new RunReport(terminal, job, options);
  warnOfLateStart(terminal, options);
  const { geometry } = options;
  const [source, target, sourceTest, targetTest] = (
    [job.data.source, job.data.target, job.sourceTest, job.targetTest] as const
  ).map((data) => inGeometry(data as HostData, geometry)) as [HostData, HostData, HostData?, HostData?];
  const { printFreq, evalFreq, checkpointEvery } = job.watch;
  const settings = {
    printFreq: printFreq ?? (terminal.isLive ? 10 : 50),
    evalFreq,
    checkpointEvery,
    detectAnomaly: job.detectAnomaly,
    reopen,
    signal,
    ...(checkpoint && { resume: checkpoint }),
    ...(targetTest && { targetTest }),
    ...(sourceTest && { sourceTest }),
  };
  try {
    const { result, trainer } = await train({
      gpu,
      ...{ source, target, numClasses: job.data.numClasses },
      ...trainArguments(options),
      model: job.model,
      ...settings,
      callbacks: {
        onCompile: compileNotice(terminal),
        onStart: (info) => report.start(info, device),
        onProgress: (progress) => report.progress(progress),
        onMetrics: (rows) => folder?.append(...rows.map((row) => ({ event: 'iteration', ...row }))),
        onClassWeight(event) {
          if (!event.classWeight.every(Number.isFinite)) throw new NotFiniteError(event.iteration - 1, 'class weight');
          folder?.append({ event: 'classWeight', ...event });
          report.classWeight(event);
        },
        onEvaluation(event) {
          folder?.append({ event: 'evaluation', ...event });
          report.evaluation(event, event.iteration === options.iterations || signal.aborted);
        },
        onCheckpoint: (checkpoint) => folder?.keepCheckpoint(checkpoint),
        onLost: ({ iteration, error }) =>
          terminal.note(`${error.message}; continuing on a new device from iteration ${iteration}`),
      },
    });
    try {
      const summary = summaryOf(options, result);
      // The report comes first: if the model cannot be written, it is all there is.
      report.end(summary);
      folder?.finish(await encodeModel(trainer.model, { ...job.record, geometry }), { event: 'result', ...summary });
      await folder?.report((rows) =>
        writeReport(job, { options, device, summary, rows, trainer, shown: targetTest ?? target }),
      );
      if (folder) terminal.line(`saved to ${folder.path}`);
      return summary;
    } finally {
      trainer.dispose();
    }
  } finally {
    terminal.settle();
    folder?.close();
  }
}

/** Warns if a part of the method would begin only after the run. */
function warnOfLateStart(
  terminal: Terminal,
  { method, pseudoFrom, iterations, classWeightUpdateSteps: steps }: RunOptions,
): void {
  if (method === 'self-training' && pseudoFrom >= iterations)
    terminal.warning(
      `pseudo-labels begin at iteration ${pseudoFrom}, but the run ends at ${iterations}, so it learns nothing from them; lower --pseudo-from or raise --iterations`,
    );
  if (methodsWith('classWeightUpdateSteps')!.includes(method) && steps >= iterations)
    terminal.warning(
      `class weights are first updated after iteration ${steps}, but the run ends at ${iterations}, so all classes weigh the same; lower --class-weight-update-steps or raise --iterations`,
    );
}

/** Makes report.html of a finished run. */
async function writeReport(
  { task, watch, targetTest, record }: Job,
  run: {
    options: RunOptions;
    device: Device;
    summary: RunSummary;
    rows: readonly Row[];
    trainer: Trainer<Classifier>;
    /** The examples whose predictions are shown. */
    shown: HostData;
  },
): Promise<string> {
  const { options, device, summary, rows, trainer, shown } = run;
  const { numClasses: _, ...flags } = { ...task, ...options, ...watch };
  const set = targetTest ? 'the target test set' : 'the target';
  // If it was stopped before its first iteration, the kernels are not compiled.
  const images = summary.iterations > 0 && { data: shown, model: trainer.model, title: set };
  return htmlReport({
    padagrad: version,
    source: task.source,
    target: task.target,
    device: describeDevice(device),
    settings: Object.fromEntries(
      Object.entries(flags)
        .filter(([, value]) => value !== null && value !== false)
        // Options of other methods have no effect.
        .filter(([name]) => methodsWith(name)?.includes(options.method) ?? true)
        .map(([name, value]) => [flagOf(name), Array.isArray(value) ? classList(value) : String(value)]),
    ),
    classNames: record.classNames,
    targetClasses: task.targetClasses,
    result: summary,
    ...curvesOf(rows),
    images: images ? await predictImages(trainer.gpu, images) : null,
  });
}

function summaryOf({ method, seed, iterations }: RunOptions, result: TrainResult): RunSummary {
  const { iteration, options: _, collapsed: __, ...figures } = result;
  const known = { targetAccuracy: null, sourceAccuracy: null, ...figures };
  return { method, seed, iterations: iteration, ...known, aborted: iteration < iterations };
}

/** Returns the folder of a run. Several runs have a subfolder each. */
export const folderOf = ({ out, options, seeds }: Job, { method, seed }: RunOptions): string =>
  join(out!, options.length > 1 ? method : '', seeds.length > 1 ? `seed-${seed}` : '');

/** Opens the folder of a run, with the checkpoint to resume from. */
async function openFolder(
  terminal: Terminal,
  job: Job,
  options: RunOptions,
  device: Device,
): Promise<{ folder?: RunFolder; checkpoint?: Checkpoint | undefined }> {
  const { out, task, data, watch, resume } = job;
  if (!out) return {};
  const path = folderOf(job, options);
  RunFolder.prepare(path, resume ? '--resume' : '--out');
  const folder = RunFolder.lock(path, (message) => terminal.warning(message));
  try {
    if (resume) return { folder, checkpoint: await findCheckpoint(terminal, folder, resume, device) };
    if (RunFolder.holdsRun(path)) terminal.note(`overwriting an earlier run in ${path}`);
    const checksums = { source: checksumOf(data.source), target: checksumOf(data.target) };
    folder.begin({ padagrad: version, task, options, watch, data: checksums, device });
    return { folder };
  } catch (error) {
    folder.close();
    throw error;
  }
}

/** Finds the checkpoint to resume from. Warns if this device or version gives other bits than those that started the run. */
async function findCheckpoint(
  terminal: Terminal,
  folder: RunFolder,
  config: RunConfig,
  device: Device,
): Promise<Checkpoint | undefined> {
  const { device: before, padagrad } = config;
  const isOther =
    describeDevice(before) !== describeDevice(device) ||
    before.gemmFamily !== device.gemmFamily ||
    before.subgroupSize !== device.subgroupSize;
  if (isOther || padagrad !== version)
    terminal.warning(
      `the run started on ${describeDevice(before)} with padagrad ${padagrad}; results here will not be bit-identical`,
    );
  const found = await folder.resume(config);
  if (!found) {
    terminal.note(`no checkpoint in ${folder.path}, starting from the beginning`);
    return undefined;
  }
  const { name, checkpoint } = found;
  const saved = runOptionsOf(checkpoint);
  const other = (Object.keys(saved) as (keyof RunOptions)[])
    .filter((option) => config.options[option] !== saved[option])
    .map((key) => `${flagOf(key)} is ${config.options[key]} in config.json but ${saved[key]} in ${name}`);
  if (other.length > 0)
    throw new UsageError(`${folder.path}: config.json and ${name} are from different runs: ${other.join('; ')}`);
  terminal.note(`resuming at iteration ${checkpoint.iteration} from ${name}`);
  return checkpoint;
}
