import * as assert from 'uvu/assert';
import type { GpuError } from '../src/gpu/errors.ts';
import { createGpu } from '../src/gpu/gpu.ts';
import { relu } from '../src/ops/relu.ts';
import { empty, fromBuffer, native, type Tensor, tensor, write } from '../src/tensor.ts';
import { keep, tidy } from '../src/tidy.ts';
import { gpuTest, run } from './harness.ts';

gpuTest('tensors take numbers, nested arrays and typed arrays', async (gpu) => {
  const made = [
    tensor(gpu, 7),
    tensor(gpu, [
      [1, 2, 3],
      [4, 5, 6],
    ]),
    tensor(gpu, new Float32Array([1, 2, 3, 4]), [2, 2]),
    tensor(gpu, new Uint32Array([4294967295])),
    tensor(gpu, []),
  ];
  assert.equal(
    made.map((x) => [x.shape, x.dtype, x.size]),
    [
      [[], 'f32', 1],
      [[2, 3], 'f32', 6],
      [[2, 2], 'f32', 4],
      [[1], 'u32', 1],
      [[0], 'f32', 0],
    ],
  );
  assert.is(await made[0]!.item(), 7);
  assert.equal([...(await made[1]!.read())], [1, 2, 3, 4, 5, 6]);
  assert.is(await made[3]!.item(), 4294967295);
  assert.is((await made[4]!.read()).length, 0);
  for (const x of made) x.dispose();
});

gpuTest('arrays of other types are taken by their numbers, not by their bytes', async (gpu) => {
  for (const array of [Float64Array, Int32Array, Uint8Array]) {
    const x = tensor(gpu, array.of(1, 2, 3) as never);
    assert.equal([x.dtype, ...(await x.read())], ['f32', 1, 2, 3]);
    x.dispose();
  }
});

gpuTest('wrong tensors are refused with what was expected', async (gpu) => {
  assert.throws(() => tensor(gpu, [1, 2], [3]), /tensor: shape \[3\] wants 3 elements but data has 2/);
  assert.throws(() => tensor(gpu, [[1, 2], [3]]), /nested arrays must be regular/);
  assert.throws(() => tensor(gpu, ['1'] as never), /tensor: data holds a string/);
  assert.throws(() => empty(gpu, 3 as never), /tensor: shape \[3\] is not one/);
  assert.throws(() => empty(gpu, [-1]), /shape \[-1\] is not one/);
  assert.throws(() => empty(gpu, [1.5]), /shape \[1.5\] is not one/);
  const x = tensor(gpu, [1, 2]);
  assert.throws(() => write(x, new Float32Array(3)), /wants a Float32Array of 2, but got a Float32Array of 3/);
  const words = tensor(gpu, new Uint32Array(2));
  assert.throws(() => tidy(() => relu(words)), /relu: x must be f32 but is u32/);
  assert.throws(() => relu([1, 2] as never), /relu: x must be f32 but is no Tensor/);
  assert.throws(() => relu(undefined as never), /relu: x must be f32 but is no Tensor/);
  assert.throws(() => tensor(createGpu() as never, [1]), /tensor: gpu is Promise; await createGpu\(\)/);
  assert.throws(() => tensor([1, 2] as never, [1]), /tensor: gpu is Array; await createGpu\(\)/);
  assert.throws(() => empty(undefined as never, [1]), /tensor: gpu is undefined; await createGpu\(\)/);
  await rejects(words.read(), /read: tensor is u32; use readU32/);
  await rejects(x.item(), /item: tensor\[2\] has 2 elements/);
  x.dispose();
  words.dispose();
});

gpuTest('more memory than the device binds is refused before it is asked for', (gpu) => {
  const limit = gpu.limits.maxStorageBufferBindingSize!;
  assert.throws(
    () => empty(gpu, [limit / 4 + 1]),
    (e: GpuError) => e.code === 'LIMIT' && e.message.includes(String(limit)),
  );
});

gpuTest('a disposed tensor throws with its label, and dispose is idempotent', async (gpu) => {
  const x = tensor(gpu, [1], undefined, 'image');
  const reading = x.read();
  x.dispose();
  x.dispose();
  assert.equal([...(await reading)], [1]);
  assert.throws(
    () => tidy(() => relu(x)),
    (e: GpuError) => e.code === 'DISPOSED' && e.message.startsWith('image[1] was used after its dispose()'),
  );
  await rejects(x.read(), /image\[1\] was used after/);
});

gpuTest('tidy frees what is made in it, but for what it returns and what is kept', (gpu) => {
  let inner: Tensor | undefined;
  let kept: Tensor | undefined;
  const before = gpu.memory().buffers;
  const result = tidy(() => {
    inner = tensor(gpu, [1]);
    kept = keep(tensor(gpu, [2]));
    return { list: [relu(inner)], name: 'x' };
  });
  assert.ok(inner!.isDisposed);
  assert.not(kept!.isDisposed);
  assert.not(result.list[0]!.isDisposed);
  assert.is(gpu.memory().buffers, before + 2);
  kept!.dispose();
  result.list[0]!.dispose();
  assert.throws(
    () =>
      tidy(() => {
        inner = tensor(gpu, [1]);
        throw new Error('inside');
      }),
    /inside/,
  );
  assert.ok(inner!.isDisposed);
});

gpuTest('tidy refuses a promise', (gpu) => {
  const asynchronous = async () => tensor(gpu, [1]);
  // @ts-expect-error a promise is a compile error too
  assert.throws(() => tidy(asynchronous), TypeError);
});

gpuTest('tensors are freed by using', (gpu) => {
  let held: Tensor;
  {
    using x = tensor(gpu, [1]);
    held = x;
    assert.not(held.isDisposed);
  }
  assert.ok(held.isDisposed);
});

gpuTest('write keeps its place among recorded work', async (gpu) => {
  const x = tensor(gpu, [1, 2]);
  const before = relu(x);
  write(x, new Float32Array([3, 4]));
  const after = relu(x);
  assert.equal([...(await before.read()), ...(await after.read())], [1, 2, 3, 4]);
  for (const t of [x, before, after]) t.dispose();
});

gpuTest('data in shared memory can be uploaded', async (gpu) => {
  const shared = new Float32Array(new SharedArrayBuffer(8));
  shared.set([1, 2]);
  const x = tensor(gpu, shared as Float32Array);
  write(x, shared as Float32Array);
  assert.equal([...(await x.read())], [1, 2]);
  x.dispose();
});

gpuTest('buffers of the caller go in and out without a copy', async (gpu) => {
  const device = gpu.native;
  const buffer = device.createBuffer({ size: 16, usage: 0x80 | 0x4 | 0x8 });
  device.queue.writeBuffer(buffer, 0, new Float32Array([-1, 2, -3, 4]));
  const x = fromBuffer(gpu, buffer, [2, 2]);
  const y = relu(x);
  assert.is(native(x).buffer, buffer);
  assert.is(native(y).byteLength, 16);
  assert.equal([...(await y.read())], [0, 2, 0, 4]);
  x.dispose();
  y.dispose();
  device.queue.writeBuffer(buffer, 0, new Float32Array(4));
  buffer.destroy();
});

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (e: Error) => e,
  );
  assert.match(error?.message ?? 'nothing was thrown', pattern);
}

run();
