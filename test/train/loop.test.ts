import * as assert from 'uvu/assert';
import type { NotFiniteError } from '../../src/debug/finiteWatch.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import type { TrainCallbacks } from '../../src/train/callbacks.ts';
import type { Checkpoint } from '../../src/train/checkpoint.ts';
import type { IterationMetrics } from '../../src/train/events.ts';
import { type TrainSettings, train } from '../../src/train/loop.ts';
import type { RunOptions } from '../../src/train/methods/named.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesSettings } from './stripes.ts';

/** Trains, and keeps everything that the callbacks get. */
async function told(gpu: Gpu, settings: Partial<TrainSettings> = {}, options: Partial<RunOptions> = {}) {
  const rows: IterationMetrics[] = [];
  const log: string[] = [];
  const checkpoints: Checkpoint[] = [];
  const callbacks: TrainCallbacks = {
    onStart: ({ parameters }) => log.push(`start ${parameters > 0}`),
    onMetrics: (fresh) => rows.push(...fresh),
    onProgress: ({ iteration }) => log.push(`progress ${iteration + 1}`),
    onClassWeight: ({ iteration }) => log.push(`classWeight ${iteration}`),
    onEvaluation: ({ iteration }) => log.push(`evaluation ${iteration}`),
    onCheckpoint: (checkpoint) => {
      log.push(`checkpoint ${checkpoint.iteration}`);
      checkpoints.push(checkpoint);
    },
    onLost: ({ iteration }) => log.push(`lost ${iteration}`),
  };
  const { result, trainer } = await train(
    stripesSettings(gpu, options, {
      ...{ printFreq: 10, checkpointEvery: 20, ...settings },
      callbacks: { ...callbacks, ...settings.callbacks },
    }),
  );
  const { tensors } = await trainer.state();
  trainer.dispose();
  return { result, rows, log, checkpoints, tensors };
}

gpuTest('a run reports progress, class weights and checkpoints, in order', async (gpu) => {
  const { log, rows, result } = await told(gpu, { targetTest: stripes(40, 5, { classes: 2 }), evalFreq: 30 });
  assert.equal(log, [
    'start true',
    'progress 10',
    'classWeight 10',
    'progress 20',
    'classWeight 20',
    'checkpoint 20',
    'progress 30',
    'classWeight 30',
    'evaluation 30',
    'progress 40',
    'classWeight 40',
    'checkpoint 40',
    'progress 45',
    'evaluation 45',
  ]);
  assert.equal(
    rows.map(({ iteration }) => iteration),
    Array.from({ length: 45 }, (_, i) => i),
  );
  assert.is(result.iteration, 45);
  assert.is(result.target!.count, 40);
  assert.not(result.aborted);
});

gpuTest('listening to a signal only adds waits on the device', async (gpu) => {
  const asked = async (signal?: AbortSignal) => {
    const counts: Record<string, number> = {};
    const restore: (() => void)[] = [];
    const count = (of: object, name: string) => {
      const original = Reflect.get(of, name) as (...given: unknown[]) => unknown;
      Object.defineProperty(of, name, {
        configurable: true,
        value: (...given: unknown[]) => {
          counts[name] = (counts[name] ?? 0) + 1;
          return original.apply(of, given);
        },
      });
      restore.push(() => Reflect.deleteProperty(of, name));
    };
    await told(
      gpu,
      {
        printFreq: 1000,
        checkpointEvery: 0,
        ...(signal && { signal }),
        callbacks: {
          onStart() {
            for (const name of ['createBuffer', 'createBindGroup', 'createCommandEncoder']) count(gpu.native, name);
            for (const name of ['submit', 'writeBuffer', 'onSubmittedWorkDone']) count(gpu.native.queue, name);
          },
        },
      },
      { iterations: 60, classWeightUpdateSteps: 1000 },
    );
    for (const undo of restore) undo();
    return counts;
  };
  const { onSubmittedWorkDone: waits, ...without } = await asked();
  const { onSubmittedWorkDone: waitsForSignals, ...listening } = await asked(new AbortController().signal);
  assert.equal(listening, without);
  assert.ok(waitsForSignals! > waits!, `${waitsForSignals} waits, ${waits} without a signal`);
});

gpuTest('the loss falls and the target is learnt', async (gpu) => {
  const { rows, result } = await told(gpu, { targetTest: stripes(40, 5, { classes: 2 }) }, { iterations: 120 });
  assert.ok(rows.at(-1)!.classLoss < 0.3 * rows[0]!.classLoss, `${rows[0]!.classLoss} to ${rows.at(-1)!.classLoss}`);
  assert.ok(result.targetAccuracy! > 90, `target accuracy ${result.targetAccuracy}`);
  const [a, b, c, d] = result.classWeight;
  assert.ok(Math.min(a!, b!) > Math.max(c!, d!), `class weights ${result.classWeight}`);
});

gpuTest('a resumed run is bit-identical to an uninterrupted one', async (gpu) => {
  const whole = await told(gpu);
  const stop = new AbortController();
  const broken = await told(gpu, {
    signal: stop.signal,
    callbacks: { onProgress: ({ iteration }) => iteration === 29 && stop.abort() },
  });
  assert.ok(broken.result.aborted);
  assert.equal(
    broken.checkpoints.map(({ iteration }) => iteration),
    [20, 30],
  );
  const resumed = await told(gpu, { resume: broken.checkpoints.at(-1)! });
  assert.equal(resumed.rows, whole.rows.slice(30));
  assert.equal(resumed.tensors, whole.tensors);
});

gpuTest('a resumed run takes the options that are not given from its checkpoint', async (gpu) => {
  const { checkpoints, tensors } = await told(gpu, {}, { lr: 0.03, seed: 5 });
  const resume = checkpoints[0]!;
  const { gpu: _, source, target, method } = stripesSettings(gpu);
  const again = async (options: Partial<TrainSettings>) => {
    const { result, trainer } = await train({ gpu, source, target: target!, method, resume, ...options });
    const state = await trainer.state();
    trainer.dispose();
    return { result, state };
  };
  const same = await again({});
  assert.equal(same.result.options, resume.options);
  assert.equal(same.state.tensors, tensors);
  const longer = await again({ iterations: 46, lr: undefined as never });
  assert.equal(longer.result.options, { ...resume.options, iterations: 46 });
  assert.is(longer.result.iteration, 46);
});

gpuTest('a signal stops a run long before the next report', async (gpu) => {
  const stop = new AbortController();
  const { result } = await told(
    gpu,
    {
      signal: stop.signal,
      printFreq: 100_000,
      checkpointEvery: 0,
      callbacks: { onStart: () => setTimeout(() => stop.abort(), 20) },
    },
    { iterations: 3_000, classWeightUpdateSteps: 100_000 },
  );
  assert.ok(result.aborted);
  assert.ok(result.iteration < 1_000, `stopped after ${result.iteration} iterations`);
});

gpuTest('a lost device is replaced, and no weight or report differs', async (gpu) => {
  const whole = await told(gpu);
  let reopened = 0;
  const opened: Gpu[] = [];
  const reopen = async () => {
    reopened++;
    const another = await createGpu();
    opened.push(another);
    return another;
  };
  const first = await reopen();
  const lost = await told(first, {
    reopen,
    callbacks: {
      onMetrics: (rows) => {
        // Once after the first checkpoint, once after the second.
        const iteration = rows.at(-1)!.iteration + 1;
        if ((iteration === 30 && reopened === 1) || (iteration === 45 && reopened === 2))
          opened.at(-1)!.native.destroy();
      },
    },
  });
  assert.is(reopened, 3);
  assert.equal(
    lost.log.filter((line) => line.startsWith('lost')),
    ['lost 20', 'lost 40'],
  );
  assert.equal(
    lost.log.filter((line) => !line.startsWith('lost')),
    whole.log,
  );
  assert.equal(lost.tensors, whole.tensors);
  for (const one of opened) one.dispose();
});

gpuTest('the first step is timed', async (gpu) => {
  const start = performance.now();
  const { result } = await told(gpu);
  const most = (performance.now() - start) / 1000;
  assert.ok(result.secondsToFirstStep! > 0 && result.secondsToFirstStep! < most);
  assert.is((await told(gpu, {}, { iterations: 0 })).result.secondsToFirstStep, null);
});

gpuTest('three lost devices without a checkpoint in between end a run', async () => {
  const opened: Gpu[] = [];
  const reopen = async () => {
    const another = await createGpu();
    opened.push(another);
    setTimeout(() => another.native.destroy(), 50);
    return another;
  };
  const error = await reopen()
    .then((first) => told(first, { reopen, checkpointEvery: 0 }, { iterations: 100_000 }))
    .catch((e) => e);
  assert.is(error.code, 'GPU_LOST');
  assert.match(error.message, /3 devices were lost since the last checkpoint/);
  assert.is(opened.length, 3);
  for (const one of opened) one.dispose();
});

gpuTest('without reopen a lost device throws', async () => {
  const gpu = await createGpu();
  setTimeout(() => gpu.native.destroy(), 50);
  const error = await told(gpu, {}, { iterations: 100_000 }).catch((e) => e);
  assert.is(error.code, 'GPU_LOST');
  gpu.dispose();
});

gpuTest('a run stops when a value becomes NaN or infinite, names it, and keeps no checkpoint of it', async (gpu) => {
  const checkpoints: number[] = [];
  const error: NotFiniteError = await told(
    gpu,
    { callbacks: { onCheckpoint: ({ iteration }) => void checkpoints.push(iteration) } },
    { lr: 1e30 },
  ).catch((e) => e);
  assert.is(error.name, 'NotFiniteError');
  assert.match(error.message, /^training: .+ became NaN or infinite in iteration \d+; try a lower learning rate/);
  assert.ok(error.iteration < 10, `iteration ${error.iteration}: ${error.what}`);
  assert.equal(checkpoints, []);
});

run();
