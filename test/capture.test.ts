import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../src/autograd.ts';
import { capture, runSteps } from '../src/capture.ts';
import { countCalls, watchCompiling } from '../src/debug/deviceCalls.ts';
import { createGpu } from '../src/gemm/createGpu.ts';
import type { GpuError } from '../src/gpu/errors.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { defineKernel } from '../src/gpu/kernel.ts';
import { Counter, Scalar } from '../src/gpu/scalar.ts';
import { relu } from '../src/ops/relu.ts';
import { empty, type Tensor, tensor, write } from '../src/tensor.ts';
import { tidy } from '../src/tidy.ts';
import { gpuTest, run } from './harness.ts';

const affine = defineKernel(
  'affine',
  `struct Params { size: u32, factor: f32 }
   @group(0) @binding(0) var<uniform> params: Params;
   @group(0) @binding(1) var<storage, read> x: array<f32>;
   @group(0) @binding(2) var<storage, read_write> y: array<f32>;
   @compute @workgroup_size(64) fn times(@builtin(global_invocation_id) id: vec3u) {
     if (id.x < params.size) { y[id.x] = x[id.x] * params.factor; }
   }`,
  ['times'],
);

const times = (x: Tensor, factor: number | Scalar): Tensor => {
  const y = empty(x.gpu, x.shape, 'f32', 'times');
  affine.times({ x, y }, { size: x.size, factor }, Math.ceil(x.size / 64));
  return y;
};

gpuTest('a captured step follows its inputs and its scalars', async (gpu) => {
  const x = tensor(gpu, [1, 2, 3]);
  const factor = new Scalar(2);
  const step = await capture(gpu, () => times(times(x, factor), 10));
  step.run();
  assert.equal([...(await step.result.read())], [20, 40, 60]);
  factor.value = 3;
  write(x, new Float32Array([1, 1, -1]));
  step.run();
  assert.equal([...(await step.result.read())], [30, 30, -30]);
  assert.is(step.dispatches, 2);
  step.dispose();
  step.result.dispose();
  x.dispose();
});

gpuTest('a capture runs nothing by itself', async (gpu) => {
  const x = tensor(gpu, [1]);
  const y = tensor(gpu, [5]);
  const step = await capture(gpu, () => affine.times({ x, y }, { size: 1, factor: 2 }, 1));
  assert.is(await y.item(), 5);
  step.run();
  assert.is(await y.item(), 2);
  for (const t of [step, x, y]) t.dispose();
});

gpuTest('captures at one time compile what they share once', async ({ options }) => {
  const gpu = await createGpu(options);
  const seen = watchCompiling(gpu.native);
  const x = tensor(gpu, [1]);
  const steps = await Promise.all([2, 3].map((factor) => capture(gpu, () => times(x, factor))));
  assert.equal(seen, ['createShaderModule affine.times', 'createComputePipelineAsync affine.times']);
  for (const step of steps) step.run();
  assert.equal(await Promise.all(steps.map(({ result }) => result.item())), [2, 3]);
  for (const step of steps) step.dispose();
  gpu.dispose();
});

gpuTest('counters advance at each use, eager or captured', async (gpu) => {
  const x = tensor(gpu, [1]);
  const counter = new Counter(1);
  const y = times(x, counter);
  const step = await capture(gpu, () => times(x, counter));
  const seen = [await y.item()];
  for (let i = 0; i < 3; i++) {
    step.run();
    seen.push(await step.result.item());
  }
  assert.equal(seen, [1, 2, 3, 4]);
  for (const t of [y, step.result, step, x]) t.dispose();
});

gpuTest('what a step frees is reused within it, and given back with it', async (gpu) => {
  const x = tensor(gpu, new Float32Array(1000));
  const before = gpu.memory().buffers;
  const chain = () => {
    let y = x;
    for (let i = 0; i < 10; i++) {
      const next = times(y, 1);
      if (y !== x) y.dispose();
      y = next;
    }
    return y;
  };
  const step = await capture(gpu, chain);
  assert.is(gpu.memory().buffers, before + 2, 'ten products take turns in two buffers');
  step.result.dispose();
  step.dispose();
  assert.is(gpu.memory().buffers, before);
  x.dispose();
});

gpuTest('captured steps share what holds nothing between runs, and keep their results to themselves', async (gpu) => {
  const x = tensor(gpu, new Float32Array(1000).fill(1));
  const before = gpu.memory().buffers;
  const thrice = (factor: number) => tidy(() => times(times(times(x, factor), factor), factor));
  const twos = await capture(gpu, () => thrice(2));
  const first = gpu.memory().buffers - before;
  const threes = await capture(gpu, () => thrice(3));
  assert.is(gpu.memory().buffers - before, first + 1, 'the second step adds only its result');
  twos.run();
  threes.run();
  assert.is((await twos.result.read())[999], 8);
  assert.is((await threes.result.read())[999], 27);
  for (const t of [twos.result, twos]) t.dispose();
  threes.run();
  assert.is((await threes.result.read())[0], 27);
  for (const t of [threes.result, threes]) t.dispose();
  assert.is(gpu.memory().buffers, before);
  x.dispose();
});

gpuTest('a tensor has no buffer before its capture ends', async (gpu) => {
  const x = tensor(gpu, [1]);
  const step = await capture(gpu, () => {
    const y = times(x, 2);
    assert.throws(() => y.storage.buffer, /has no buffer before the function returns/);
    return y;
  });
  step.run();
  assert.ok(step.result.storage.buffer);
  for (const t of [step.result, step, x]) t.dispose();
});

gpuTest('tensors from outside may be disposed while the step lives', async (gpu) => {
  const x = tensor(gpu, [4]);
  const step = await capture(gpu, () => times(x, 2));
  x.dispose();
  const other = tensor(gpu, [100]);
  step.run();
  assert.is(await step.result.item(), 8);
  for (const t of [step.result, step, other]) t.dispose();
});

gpuTest('a training step is captured with its gradients', async (gpu) => {
  const x = tensor(gpu, [1, -1, 2]);
  x.requiresGrad = true;
  x.gradSlot = empty(gpu, [3], 'f32', 'slot');
  const dy = tensor(gpu, [1, 2, 3]);
  const step = await capture(gpu, () => {
    zeroGrad([x]);
    backward(relu(x), dy);
  });
  step.run();
  step.run();
  assert.equal([...(await x.gradSlot.read())], [1, 0, 3]);
  for (const t of [step, x.gradSlot, x, dy]) t.dispose();
});

gpuTest('steps run together in one submit and one write, and make nothing', async (gpu) => {
  const x = tensor(gpu, [1, 2]);
  const [f, g] = [new Scalar(1), new Scalar(1)];
  const a = await capture(gpu, () => times(x, f));
  const b = await capture(gpu, () => times(a.result, g));
  runSteps(a, b);
  f.value = 2;
  g.value = 5;
  const calls = countCalls(gpu.native, () => runSteps(a, b));
  assert.equal(calls, {
    submits: 1,
    passes: 1,
    dispatches: 2,
    writeBuffers: 1,
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
  });
  assert.equal([...(await b.result.read())], [10, 20]);
  const unchanged = countCalls(gpu.native, () => runSteps(a, b));
  assert.is(unchanged.writeBuffers, 0, 'nothing changed, nothing is written');
  for (const t of [b.result, b, a.result, a, x]) t.dispose();
});

gpuTest('what cannot be replayed is an error at capture time, and leaves nothing behind', async (gpu) => {
  const x = tensor(gpu, [1]);
  const attempts: [string, (gpu: Gpu) => unknown][] = [
    ['read', () => void x.read().catch(() => {})],
    ['capture', (gpu) => void capture(gpu, () => times(x, 1)).catch(() => {})],
    ['write', () => write(x, new Float32Array(1))],
    ['submit', () => gpu.submit()],
  ];
  for (const [name, attempt] of attempts) {
    const error = await capture(gpu, () => attempt(gpu)).then(
      () => undefined,
      (e: GpuError) => e,
    );
    assert.is(error?.code, 'CAPTURE', name);
  }
  const messageOf = (fn: () => unknown): Promise<string> =>
    capture(gpu, fn as () => never).then(
      () => '',
      (e: Error) => e.message,
    );
  const reading = async () => x.read().catch(() => {});
  assert.match(await messageOf(reading), /read of tensor cannot be replayed/);
  assert.match(
    await messageOf(async () => times(x, 1)),
    /capture: the function returned a promise; make it synchronous/,
  );
  assert.match(await messageOf(() => {}), /capture: nothing was recorded/);
  await capture(gpu, () => {
    times(x, 1);
    throw new Error('inside');
  }).then(
    () => assert.unreachable(),
    (e: Error) => assert.is(e.message, 'inside'),
  );
  assert.is(await x.item(), 1, 'the queue works on');
  x.dispose();
});

gpuTest('steps of two Gpus do not run as one, nor is one captured for the other', async (gpu) => {
  const other = await createGpu();
  const [x, theirs] = [tensor(gpu, [1]), tensor(other, [1])];
  const step = await capture(gpu, () => times(x, 2));
  const foreign = await capture(other, () => times(theirs, 2));
  assert.throws(() => runSteps(step, foreign), /runSteps: the steps must be of one Gpu/);
  await capture(gpu, () => times(theirs, 2)).then(
    () => assert.unreachable(),
    (e: Error) => assert.match(e.message, /nothing was recorded/),
  );
  for (const thing of [step.result, step, x, foreign.result, foreign, theirs, other]) thing.dispose();
});

gpuTest('a disposed step does not run', async (gpu) => {
  const x = tensor(gpu, [1]);
  const step = await capture(gpu, () => tidy(() => void times(x, 2)));
  step.dispose();
  step.dispose();
  assert.throws(() => step.run(), /was disposed; capture it again/);
  x.dispose();
});

run();
