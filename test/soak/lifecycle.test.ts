import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { webgpu } from '#gpu';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { BufferUsage } from '../../src/gpu/native.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { relu } from '../../src/ops/relu.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { pada } from '../../src/train/methods/pada.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { stripesData } from '../train/stripes.ts';
import { handles, MIB, residentBytes, times } from './measures.ts';

// Long runs and many lifecycles, in which nothing may grow. `npm test` repeats each a few times, `npm run soak` thousands of times.

const STEPS = times('PADAGRAD_STEPS', 200);
const CYCLES = times('PADAGRAD_CYCLES', 10);
const CAPTURES = times('PADAGRAD_CAPTURES', 20);
const WARM_UP = 5;
// The first thousand steps of a process fill caches that stay.
const WARM_UP_STEPS = Math.min(1000, STEPS / 2);
const MOST_GROWTH = 32 * MIB;

const mib = (bytes: number): string => `${(bytes / MIB).toFixed(2)} MiB`;

test(`memory does not grow in ${STEPS} captured PADA steps`, async () => {
  const gpu = await createGpu();
  const training = await Trainer.create({
    gpu,
    ...stripesData(),
    method: pada({ classWeightUpdateSteps: 50 }),
    batchSize: 16,
  });
  const steps = async (n: number): Promise<void> => {
    for (let i = 1; i <= n; i++) {
      await training.step();
      if (i % 50 === 0 || i === n) await training.metrics();
    }
    await gpu.idle();
  };
  await steps(WARM_UP_STEPS);
  const [memory, resident, before] = [gpu.memory(), await residentBytes(), handles()];
  await steps(STEPS);
  const grown = (await residentBytes()) - resident;
  console.log(`${STEPS} steps: ${mib(gpu.memory().bytes)} on the device, the process grew by ${mib(grown)}`);
  assert.equal(gpu.memory(), memory);
  assert.equal(handles(), before);
  assert.ok(grown < MOST_GROWTH, `the process grew by ${mib(grown)}`);
  training.dispose();
  // The buffer that `backward` makes once per Gpu.
  assert.is(gpu.memory().buffers, 1);
  gpu.dispose();
});

test(`memory does not grow when a Gpu is opened, used and disposed ${CYCLES} times`, async () => {
  // The same work with plain WebGPU: opens a device, compiles and runs a kernel, reads the result.
  const plain = async (): Promise<void> => {
    const adapter = (await (await webgpu()).requestAdapter())!;
    const requiredFeatures = (['subgroups', 'timestamp-query', 'shader-f16'] as const).filter((name) =>
      adapter.features.has(name),
    );
    const device = await adapter.requestDevice({ requiredFeatures });
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC;
    const y = device.createBuffer({ size: 256, usage });
    const read = device.createBuffer({ size: 256, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST });
    const code = `@group(0) @binding(0) var<storage, read_write> y: array<f32>;
      @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = 2; }`;
    const module = device.createShaderModule({ code });
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
    const entries = [{ binding: 0, resource: { buffer: y } }];
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(y, 0, read, 0, 256);
    device.queue.submit([encoder.finish()]);
    await read.mapAsync(1);
    assert.is(new Float32Array(read.getMappedRange())[63], 2);
    for (const buffer of [y, read]) buffer.destroy();
    device.destroy();
  };
  const ours = async (): Promise<void> => {
    const gpu = await createGpu();
    const x = tensor(gpu, [-1, 2]);
    assert.equal([...(await tidy(() => relu(x)).read())], [0, 2]);
    x.dispose();
    gpu.dispose();
  };
  const growthOf = async (cycle: () => Promise<void>): Promise<number> => {
    for (let i = 0; i < WARM_UP; i++) await cycle();
    const before = await residentBytes();
    const open = handles();
    for (let i = 0; i < CYCLES; i++) await cycle();
    const after = await residentBytes();
    const left = handles();
    // Drivers keep a few threads and files; a leak grows with every cycle.
    assert.ok(left.threads - open.threads < Math.max(3, CYCLES / 10), `threads: ${open.threads} to ${left.threads}`);
    assert.ok(left.files - open.files < Math.max(3, CYCLES / 10), `files: ${open.files} to ${left.files}`);
    return (after - before) / CYCLES;
  };
  const [dawn, own] = [await growthOf(plain), await growthOf(ours)];
  console.log(`${CYCLES} cycles: ${mib(own)} each, plain Dawn ${mib(dawn)} each`);
  // A few cycles measure only noise.
  if (CYCLES >= 100) assert.ok(own < dawn + 0.2 * MIB, `grew by ${mib(own)} per cycle, plain Dawn by ${mib(dawn)}`);
});

test(`memory does not grow when ${CAPTURES} steps are captured and disposed`, async () => {
  const gpu = await createGpu();
  const x = tensor(gpu, new Float32Array(64 * 64).fill(1), [64, 64]);
  const cycle = async (): Promise<void> => {
    const step = await capture(gpu, () => relu(matmul(relu(x), x)));
    step.run();
    assert.is((await step.result.read())[0], 64);
    step.result.dispose();
    step.dispose();
  };
  await cycle();
  await cycle();
  const memory = gpu.memory();
  const resident = await residentBytes();
  for (let i = 0; i < CAPTURES; i++) await cycle();
  assert.equal(gpu.memory(), memory);
  const grown = (await residentBytes()) - resident;
  console.log(`${CAPTURES} captures: the process grew by ${mib(grown)}`);
  assert.ok(grown < MOST_GROWTH, `the process grew by ${mib(grown)}`);
  x.dispose();
  gpu.dispose();
});

async function product(gpu: Gpu, value: number): Promise<number> {
  const x = tensor(gpu, new Float32Array(32 * 32).fill(value), [32, 32]);
  const y = tidy(() => matmul(x, x));
  const first = (await y.read())[0]!;
  for (const t of [x, y]) t.dispose();
  return first;
}

test('two Gpus work at the same time, and one still works when the other is disposed', async () => {
  const [a, b] = await Promise.all([createGpu(), createGpu()]);
  const rounds = Array.from({ length: 5 }, (_, i) => i + 1);
  const computed = await Promise.all(rounds.flatMap((i) => [product(a, i), product(b, 2 * i)]));
  assert.equal(
    computed,
    rounds.flatMap((i) => [32 * i * i, 128 * i * i]),
  );
  a.dispose();
  assert.is(await product(b, 3), 288);
  b.dispose();
});

test("disposing a Gpu on a caller's device keeps the device", async () => {
  const owner = await createGpu();
  for (let i = 0; i < CYCLES; i++) {
    const guest = await createGpu({ device: owner.native });
    assert.is(await product(guest, 1), 32);
    guest.dispose();
  }
  assert.is(await product(owner, 2), 128);
  owner.dispose();
});

test('a waiting Gpu uses no CPU', async () => {
  const gpu = await createGpu();
  await product(gpu, 1);
  const before = process.cpuUsage();
  await new Promise((resume) => setTimeout(resume, 1500));
  const { user, system } = process.cpuUsage(before);
  const share = (user + system) / 1.5e6;
  console.log(`while waiting: ${(100 * share).toFixed(1)} % of a core`);
  assert.ok(share < 0.2, `${(100 * share).toFixed(0)} % of a core`);
  gpu.dispose();
});

test.run();
