import { writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import type { Context, Trained } from '../../src/cli/context.ts';
import { main } from '../../src/cli/program.ts';
import type { HostImages } from '../../src/data/dataset.ts';
import type { Peaks } from '../../src/debug/peaks.ts';
import { gemmSettings } from '../../src/gemm/settings.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { Profile } from '../../src/gpu/profiler.ts';
import { encodeSafetensors } from '../../src/io/safetensors.ts';
import type { Evaluation } from '../../src/train/events.ts';
import { completeOptions, type TrainingOptions } from '../../src/train/options.ts';
import type { TrainCallbacks, TrainSettings } from '../../src/train/train.ts';
import type { TrainingData } from '../../src/train/trainingData.ts';

/** Keeps what is written to it; a terminal if asked. */
export class Recorder extends Writable {
  text = '';
  columns = 120;
  constructor(readonly isTTY = false) {
    super();
  }
  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
  get lines(): string[] {
    return this.text.split('\n').filter(Boolean);
  }
  // biome-ignore lint/suspicious/noExplicitAny: events are read as JSON.parse gives them
  get events(): any[] {
    return this.lines.map((line) => JSON.parse(line));
  }
}

/** Digits of one class after the other: 0, 1, ..., 9, 0, ...; every byte of an image is its label. */
export function fakeDigits(count: number, { size = 28, classes = 10, labelled = true } = {}): HostImages {
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  const images = Uint8Array.from({ length: count * size * size }, (_, i) => labels[Math.floor(i / size / size)]!);
  return { images, ...(labelled && { labels }), count, height: size, width: size };
}

export const DATA: Record<string, HostImages> = {
  'mnist train': fakeDigits(1000),
  'mnist test': fakeDigits(200),
  'fontdigits train': fakeDigits(1000),
  'fontdigits test': fakeDigits(200),
  'idx:small train': fakeDigits(500, { size: 16 }),
  'idx:small test': fakeDigits(500, { size: 16 }),
  'idx:bare train': fakeDigits(500, { labelled: false }),
  'idx:bare test': fakeDigits(500, { labelled: false }),
  'idx:letters test': fakeDigits(100, { classes: 26 }),
  'idx:few train': fakeDigits(40),
  'idx:stray train': {
    ...fakeDigits(100),
    labels: Uint8Array.from({ length: 100 }, (_, i) => (i === 7 ? 200 : i % 10)),
  },
  'idx:oblong train': { ...fakeDigits(98), count: 100, height: 28, width: 27 },
  'idx:tiny train': fakeDigits(100, { size: 8 }),
};

const PROFILE: Profile = {
  clock: 'timestamps',
  seconds: 0.01,
  events: [{ kernel: 'conv2d.product', start: 0, seconds: 0.01, flops: 1e7, bytes: 1e6 }],
  rows: [{ kernel: 'conv2d.product', calls: 1, seconds: 0.01, share: 1, flops: 1e7, bytes: 1e6 }],
};

const PEAKS: Peaks = {
  scalarGflops: 1,
  vectorGflops: 4,
  halfGflops: null,
  readGbps: 1,
  writeGbps: 1,
  copyGbps: 1,
  dispatchUs: 1,
  submitUs: 1,
  readbackUs: 1,
  clock: 'timestamps',
};

export interface Trial {
  data: TrainingData;
  options: TrainingOptions;
  settings: TrainSettings;
}

export interface FakeOptions {
  tty?: boolean;
  software?: boolean;
  /** What `timeIteration` finds. */
  secondsPerIteration?: number;
  /** The signal that comes at this iteration of the first run. */
  interruptAt?: { iteration: number; signal: 'SIGINT' | 'SIGTERM' };
  /** Comes before each checkpoint that is told; may throw as a training does. */
  beforeCheckpoint?: (iteration: number, callbacks: TrainCallbacks, settings: TrainSettings) => void | Promise<void>;
  openGpu?: Context['openGpu'];
  selfTest?: () => Promise<void>;
  classWeight?: readonly number[];
  targetAccuracy?: (options: TrainingOptions) => number;
}

const evaluationOf = (digits: HostImages, accuracy: number, classes: number): Evaluation => {
  const confusion = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const label of digits.labels!) confusion[label]![label]!++;
  const perClass = confusion.map((row) => (row.some((n) => n > 0) ? accuracy : Number.NaN));
  return { accuracy, perClass, confusion, count: digits.count };
};

/** Writes a file that passes for a trained model, as far as can be told without a GPU. */
export function fakeModel(path: string, numClasses = 10): void {
  const matrix = (rows: number, columns: number) => ({
    shape: [rows, columns],
    data: new Float32Array(rows * columns),
  });
  const state = new Map([
    ['bottleneck.0.weight', matrix(2, 512)],
    ['head.weight', matrix(numClasses, 2)],
  ]);
  writeFileSync(path, encodeSafetensors(state));
}

/** A context without a GPU: training reports made-up figures by the rules of the real trainer. */
export function fakeContext(fake: FakeOptions = {}) {
  const controller = new AbortController();
  const trials: Trial[] = [];
  const asked: string[] = [];
  const evaluated: string[] = [];
  const weighed: { file: string; labels: number[]; temperature: number }[] = [];
  const stdout = new Recorder(fake.tty);
  const stderr = new Recorder(fake.tty);
  const precisions: string[] = [];
  let gpus = 0;
  let opened = 0;
  let disposed = 0;
  const gpu = {
    info: {
      vendor: 'mesa',
      architecture: '',
      device: 'llvmpipe',
      description: 'llvmpipe (LLVM 19)',
      software: fake.software ?? true,
    },
    gemmFamily: 'subgroup',
    subgroupSize: 8,
    features: new Set(['subgroups']),
    limits: { maxBufferSize: 2 ** 31 },
    dispose: () => gpus--,
  } as unknown as Gpu;

  async function train(
    _: Gpu,
    data: TrainingData,
    given: Partial<TrainingOptions>,
    settings: TrainSettings,
    callbacks: TrainCallbacks,
  ): Promise<Trained> {
    const options = completeOptions(given);
    trials.push({ data, options, settings });
    const { iterations, classWeightUpdateSteps, method } = options;
    const { printFreq = 50, evalFreq = 0, checkpointEvery = 100 } = settings;
    const classWeight = Array.from({ length: data.numClasses }, (_, c) => (method === 'pada' && c > 4 ? 0.01 : 1));
    const diagnostics = { classWeight, effectiveClasses: 5.1, entropy: 1.62, collapsed: false };
    const accuracy = fake.targetAccuracy?.(options) ?? 90 + options.seed;
    const evaluate = () => ({
      ...(settings.targetTest && { target: evaluationOf(settings.targetTest, accuracy, data.numClasses) }),
      ...(settings.sourceTest && { source: evaluationOf(settings.sourceTest, 99, data.numClasses) }),
    });
    const metrics = (iteration: number) => ({
      iteration,
      classLoss: 0.5,
      transferLoss: 0.25,
      classAccuracy: 87.5,
      domainAccuracy: method === 'source-only' ? Number.NaN : 62.5,
    });
    callbacks.onStart?.({
      gpu: gpu.info,
      parameters: 12345,
      sourceCount: data.source.count,
      targetCount: data.target.count,
    });
    let done = settings.resume?.iteration ?? 0;
    let read = done;
    while (done < iterations && !settings.signal?.aborted) {
      done++;
      if (fake.interruptAt?.iteration === done) controller.abort(fake.interruptAt.signal);
      if (done % printFreq === 0 || done === iterations) {
        callbacks.onMetrics?.(Array.from({ length: done - read }, (_, i) => metrics(read + i)));
        read = done;
        callbacks.onProgress?.({
          ...metrics(done - 1),
          secondsPerIteration: 0.0921,
          secondsLeft: 0.0921 * (iterations - done),
        });
      }
      if (method === 'pada' && done % classWeightUpdateSteps === 0)
        callbacks.onClassWeight?.({ iteration: done, ...diagnostics });
      if (evalFreq > 0 && done % evalFreq === 0 && done < iterations)
        callbacks.onEvaluation?.({ iteration: done, ...evaluate() });
      if (checkpointEvery > 0 && done < iterations && (done % checkpointEvery === 0 || settings.signal?.aborted)) {
        callbacks.onMetrics?.(Array.from({ length: done - read }, (_, i) => metrics(read + i)));
        read = done;
        await fake.beforeCheckpoint?.(done, callbacks, settings);
        const tensors = new Map([['done', { shape: [], data: Float32Array.of(done) }]]);
        await callbacks.onCheckpoint?.({ iteration: done, options, tensors });
      }
    }
    const { target, source } = evaluate();
    if (target || source) callbacks.onEvaluation?.({ iteration: done, ...evaluate() });
    const result = {
      options,
      iteration: done,
      ...diagnostics,
      ...(target && { target, targetAccuracy: target.accuracy }),
      ...(source && { source, sourceAccuracy: source.accuracy }),
      secondsPerIteration: 0.0921,
      seconds: 0.0921 * done,
      secondsToFirstStep: done > 0 ? 0.75 : null,
      aborted: settings.signal?.aborted === true,
    };
    return { result, modelBytes: async () => new Uint8Array([1, 2, 3]), dispose: () => disposed++ };
  }

  const context: Context = {
    stdout,
    stderr,
    exitCode: 0,
    interruptible: () => controller.signal,
    openGpu:
      fake.openGpu ??
      (async (precision = 'highest') => {
        gpus++;
        opened++;
        precisions.push(precision);
        return precision === 'medium'
          ? Object.assign(Object.create(gpu), { states: new Map([[gemmSettings, { half: 'half' }]]) })
          : gpu;
      }),
    resolveData: async (name, split) => {
      asked.push(`${name} ${split}`);
      const digits = DATA[`${name} ${split}`];
      if (!digits) throw new Error(`no such file: ${name}-images-idx3-ubyte`);
      return digits;
    },
    train,
    evaluate: async (_, model, digits) => {
      evaluated.push(model.file);
      return evaluationOf(digits, 95, model.numClasses);
    },
    classWeight: async (_, model, digits, temperature) => {
      weighed.push({ file: model.file, labels: [...new Set(digits.labels)], temperature });
      return fake.classWeight ?? Array.from({ length: model.numClasses }, (_, c) => (c > 4 ? 0.02 : 1));
    },
    selfTest: fake.selfTest ?? (async () => {}),
    timeIteration: async () => fake.secondsPerIteration ?? 0.1,
    profile: async () => ({ profile: PROFILE, iterations: 2, peaks: PEAKS }),
  };
  return {
    context,
    stdout,
    stderr,
    trials,
    asked,
    evaluated,
    weighed,
    precisions,
    counts: () => ({ gpus, opened, disposed }),
    run: (...args: string[]) => main(args, context),
  };
}
