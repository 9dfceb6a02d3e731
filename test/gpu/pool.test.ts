import * as assert from 'uvu/assert';
import type { GpuError } from '../../src/gpu/errors.ts';
import { createGpu } from '../../src/gpu/gpu.ts';
import { empty } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

// The books of the memory pool, on a Gpu of their own.

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
  for (const tensor of [large, again]) tensor.dispose();
  assert.is(gpu.memory().peakBytes, 12288);
  gpu.dispose();
});

gpuTest('a tensor may be as large as a binding, and no larger', async () => {
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

run();
