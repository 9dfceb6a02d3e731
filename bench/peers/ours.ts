// This project's part of the comparison with other libraries: the tasks, their results in double precision, and padagrad's side. The
// build bundles it into one module that bench/peers/*.mjs import.
import * as reference from '../../reference/index.ts';
import { capture } from '../../src/capture.ts';
import type { GpuOptions } from '../../src/gemm/createGpu.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { webgpu } from '../../src/gpu/instance.node.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { softmaxColumnMean } from '../../src/ops/softmaxColumnMean.ts';
import type { Shape } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import * as cnn from '../cnn.ts';
import { factored, type Input, uniform } from '../harness/inputs.ts';
import type { Numbers } from '../harness/verify.ts';
import * as pada from '../pada.ts';

export { csvOf, digits, markdownOf } from '../harness/report.ts';
export { median, quantile, times } from '../harness/session.ts';
export { distance, mismatch } from '../harness/verify.ts';
export { cnn, webgpu };

/** Work that every library does on the same numbers. */
export interface Task {
  bench: 'matmul' | 'softmax-column-mean' | 'cnn-forward' | 'cnn-step' | 'pada-step';
  shape: string;
  flops: number;
  /** Bytes that must be read or written; 0 for whole networks, whose speed operations limit. */
  bytes: number;
  inputs: Record<string, Input | { shape: Shape; data: Uint8Array }>;
  /** Numbers that a step needs. */
  settings?: Record<string, number>;
  /** Computes the outputs in double precision, by name. */
  truth(): Record<string, Numbers>;
}

/** A task that a library has prepared. */
export interface Prepared {
  /** The names of the kernels, if known. */
  kernel?: string;
  /** Runs it `times` times and waits until all runs are done. */
  run(times: number): Promise<void>;
  /** Reads the outputs, with the names of the truth; for a training step, after exactly one step. */
  outputs(): Promise<Record<string, Numbers>>;
  dispose(): void;
}

/** Lists all tasks. */
export function tasks(): Task[] {
  const inputs = cnn.cnnInputs({ ties: false });
  const { x, labels, weights } = inputs;
  const images = `${cnn.BATCH}x1x28x28`;
  return [
    ...[256, 512, 1024].map(product),
    columnMean(4096, 31),
    columnMean(1024, 1000),
    {
      bench: 'cnn-forward',
      shape: images,
      flops: cnn.FORWARD_FLOPS,
      bytes: 0,
      inputs: { x, ...weights },
      truth: () => ({ logits: reference.plainCnn(reference.passOf(weights), x).y.data }),
    },
    {
      bench: 'cnn-step',
      shape: images,
      flops: cnn.STEP_FLOPS,
      bytes: 0,
      inputs: { x, labels, ...weights },
      settings: { lr: cnn.LEARNING_RATE, momentum: cnn.MOMENTUM },
      truth: () => {
        const { loss, gradients } = reference.plainCnnGradients(weights, x, labels);
        const named = Object.entries(gradients).map(([name, { data }]) => [name, data] as const);
        return { loss: [loss], ...Object.fromEntries(named) };
      },
    },
    {
      bench: 'pada-step',
      shape: pada.SHAPE,
      flops: pada.PADA_FLOPS,
      bytes: 0,
      ...pada.padaIterationTask(),
    },
  ];
}

function product(size: number): Task {
  const a = factored(size, size);
  const b = uniform([size, size], { seed: 2 });
  return {
    bench: 'matmul',
    shape: `${size}x${size}x${size}`,
    flops: 2 * size ** 3,
    bytes: 4 * 3 * size ** 2,
    inputs: { a, b },
    truth: () => ({ y: a.times(b.data) }),
  };
}

function columnMean(rows: number, cols: number): Task {
  const x = uniform([rows, cols], { scale: 4 });
  return {
    bench: 'softmax-column-mean',
    shape: `${rows}x${cols}`,
    flops: 0,
    bytes: 4 * (rows + 1) * cols,
    inputs: { x },
    truth: () => ({ y: reference.softmaxColumnMean(x).data }),
  };
}

/** Returns the gradients that explain how one step changed each parameter. */
export function gradientsOf(parameters: Record<string, Numbers>): Record<string, Float64Array> {
  const { weights } = cnn.cnnInputs({ ties: false });
  return Object.fromEntries(
    Object.entries(parameters).map(([name, after]) => [
      name,
      Float64Array.from(after, (v, i) => (weights[name]!.data[i]! - v) / cnn.LEARNING_RATE),
    ]),
  );
}

/** Opens padagrad's side. */
export async function open(options: GpuOptions) {
  const gpu = await createGpu(options);
  return {
    name: 'padagrad',
    prepare: (task: Task): Promise<Prepared> => prepare(gpu, task),
    dispose: () => gpu.dispose(),
  };
}

async function prepare(gpu: Gpu, { bench, inputs }: Task): Promise<Prepared> {
  if (bench === 'cnn-forward') {
    const own = await cnn.forward(gpu, cnn.cnnInputs({ ties: false }));
    return {
      kernel: 'captured step',
      run: (times) => repeat(gpu, times, own.step),
      outputs: async () => ({ logits: await own.logits() }),
      dispose: own.dispose,
    };
  }
  if (bench === 'cnn-step') {
    const own = await cnn.step(gpu, cnn.cnnInputs({ ties: false }));
    return {
      kernel: 'captured step',
      run: (times) => repeat(gpu, times, own.step),
      outputs: async () => {
        const parameters: Record<string, Numbers> = {};
        for (const [name, parameter] of own.network.namedParameters()) parameters[name] = await parameter.read();
        return { loss: [await own.loss()], ...gradientsOf(parameters) };
      },
      dispose: own.dispose,
    };
  }
  if (bench === 'pada-step') {
    const own = await pada.prepare(gpu, inputs as pada.PadaParameters);
    return {
      kernel: 'captured step',
      run: (times) => repeat(gpu, times, own.step),
      outputs: () => own.momenta(),
      dispose: own.dispose,
    };
  }
  const tensors = Object.entries(inputs).map(([name, { shape, data }]) =>
    tensor(gpu, data as Float32Array, shape, name),
  );
  const [first, second] = tensors as [Tensor, Tensor];
  const captured = await capture(gpu, () => (bench === 'matmul' ? matmul(first, second) : softmaxColumnMean(first)));
  return {
    kernel: [...new Set(captured.commands.dispatches.map(({ label }) => label))].join(' + '),
    run: (times) => repeat(gpu, times, () => captured.run()),
    outputs: async () => ({ y: await captured.result.read() }),
    dispose: () => {
      for (const thing of [captured, captured.result, ...tensors]) thing.dispose();
    },
  };
}

async function repeat(gpu: Gpu, times: number, run: () => void | Promise<void>): Promise<void> {
  for (let i = 0; i < times; i++) await run();
  await gpu.idle();
}
