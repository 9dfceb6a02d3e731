import * as assert from 'uvu/assert';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { GpuError } from '../../src/gpu/errors.ts';
import { add } from '../../src/ops/add.ts';
import { mul } from '../../src/ops/mul.ts';
import { relu } from '../../src/ops/relu.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

// The counts of the memory pool, on a Gpu of its own.

gpuTest('the peak counts buffers in use and buffers kept for reuse', async ({ options }) => {
  const gpu = await createGpu(options);
  const small = empty(gpu, [1000]);
  assert.equal(gpu.memory(), { buffers: 1, bytes: 4096, pooledBytes: 0, peakBytes: 4096 });
  small.dispose();
  assert.equal(gpu.memory(), { buffers: 0, bytes: 0, pooledBytes: 4096, peakBytes: 4096 });
  const large = empty(gpu, [2000]);
  assert.equal(gpu.memory(), { buffers: 1, bytes: 8192, pooledBytes: 4096, peakBytes: 12288 });
  const again = empty(gpu, [1024]);
  assert.equal(gpu.memory(), { buffers: 2, bytes: 12288, pooledBytes: 0, peakBytes: 12288 });
  for (const t of [large, again]) t.dispose();
  assert.is(gpu.memory().peakBytes, 12288);
  gpu.dispose();
});

gpuTest('a tensor may be as large as a binding, but not larger', async () => {
  const gpu = await createGpu({ limits: 'default' });
  const limit = gpu.limits.maxStorageBufferBindingSize!;
  assert.is(limit, 128 * 1024 * 1024);
  assert.ok(gpu.limits.maxBufferSize! > limit, 'a buffer could be larger');
  const largest = empty(gpu, [limit / 4]);
  assert.is(gpu.memory().bytes, limit);
  await gpu.idle();
  assert.throws(
    () => empty(gpu, [limit / 4 + 1]),
    (e: GpuError) => e.code === 'LIMIT' && e.message.includes(`binds at most ${limit}`),
  );
  largest.dispose();
  gpu.dispose();
});

gpuTest('a captured step that reads one tensor several times releases it once', async (gpu) => {
  const x = tensor(gpu, [1, 2]);
  const { buffers } = gpu.memory();
  const step = await capture(gpu, () => add(add(x, x), mul(x, x)));
  step.run();
  assert.equal([...(await step.result.read())], [3, 8]);
  step.result.dispose();
  x.dispose();
  assert.ok(gpu.memory().buffers >= buffers, 'the step holds it');
  step.dispose();
  assert.is(gpu.memory().buffers, buffers - 1);
});

gpuTest('steps that are captured and disposed one after the other share one buffer of params', async ({ options }) => {
  const gpu = await createGpu(options);
  const x = tensor(gpu, [1, 2]);
  const device = gpu.native;
  const createBuffer = device.createBuffer.bind(device);
  const made: string[] = [];
  Object.defineProperty(device, 'createBuffer', {
    value: (wanted: GPUBufferDescriptor) => {
      made.push(String(wanted.label));
      return createBuffer(wanted);
    },
  });
  for (let i = 0; i < 20; i++) {
    const step = await capture(gpu, () => relu(x));
    step.run();
    step.result.dispose();
    step.dispose();
  }
  const params = made.filter((label) => label.startsWith('params'));
  assert.ok(params.length <= 1, `${params.length} buffers of params for 20 steps, one after the other`);
  x.dispose();
  gpu.dispose();
});

run();
