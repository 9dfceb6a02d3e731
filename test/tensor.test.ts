import * as assert from 'uvu/assert';
import { backward } from '../src/autograd.ts';
import { createGpu } from '../src/gemm/createGpu.ts';
import type { GpuError } from '../src/gpu/errors.ts';
import { fromBuffer, native } from '../src/io/buffers.ts';
import { Parameter } from '../src/nn/parameter.ts';
import { relu } from '../src/ops/relu.ts';
import { empty, Tensor, tensor, write } from '../src/tensor.ts';
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

gpuTest('arrays of other types are converted by value, not by their bytes', async (gpu) => {
  for (const array of [Float64Array, Int32Array, Uint8Array, Int8Array]) {
    const x = tensor(gpu, array.of(1, 2, 3) as never);
    assert.equal([x.dtype, ...(await x.read())], ['f32', 1, 2, 3]);
    x.dispose();
  }
});

gpuTest('a number outside the range of f32 or u32 is refused with its index, never changed silently', async (gpu) => {
  const refused = (data: unknown, message: RegExp) => assert.throws(() => tensor(gpu, data as never), message);
  refused([1, null], /^tensor: data\[1\] must be a number or an array of numbers but is null$/);
  refused([1, undefined], /data\[1\] must be .* but is undefined/);
  // biome-ignore lint/suspicious/noSparseArray: an array with a hole is what is tried
  refused([1, , 3], /data\[1\] must be .* but is undefined/);
  refused(
    [
      [1, 2],
      [3, '4'],
    ],
    /data\[1\]\[1\] must be .* but is '4' \(a string\)/,
  );
  refused([true, false], /data\[0\] must be .* but is true \(a boolean\)/);
  refused([1n], /data\[0\] must be .* but is 1 \(a bigint\)/);
  refused(BigInt64Array.of(7n), /data\[0\] must be .* but is 7 \(a bigint\)/);
  refused('12', /data must be a number or an array of numbers but is '12'/);
  refused(new ArrayBuffer(8), /data must be .* but is an ArrayBuffer/);
  refused(new DataView(new ArrayBuffer(8)), /data must be .* but is a DataView/);
  refused({ 0: 1, length: 1 }, /data must be .* but is an Object/);
  refused(new Set([1]), /data must be .* but is a Set/);
  refused(Int32Array.of(1, 2 ** 24 + 1), /^tensor: data\[1\] is 16777217, which f32 would round; pass a Float32Array/);
  refused([Uint32Array.of(2 ** 32 - 1)], /^tensor: data\[0\]\[0\] is 4294967295, which f32 would round/);
  refused([1, 1e39], /^tensor: element 1 of data is 1e\+39, beyond the largest f32/);
  refused(Float64Array.of(-1e300), /element 0 of data is -1e\+300, beyond/);
  const x = tensor(gpu, [1]);
  refused(x, /data must be .* but is a Tensor/);
  refused([x], /data\[0\] must be .* but is a Tensor/);
  const kept = [
    tensor(gpu, Int32Array.of(-1, 2 ** 24) as never),
    tensor(gpu, [new Float32Array([1, 2]), [3, 4]]),
    tensor(gpu, [Number.POSITIVE_INFINITY, Number.NaN, -0]),
    tensor(gpu, Float64Array.of(0.1) as never),
  ];
  assert.equal(await Promise.all(kept.map(async (x) => [...(await x.read())])), [
    [-1, 2 ** 24],
    [1, 2, 3, 4],
    [Number.POSITIVE_INFINITY, Number.NaN, -0],
    [Math.fround(0.1)],
  ]);
  for (const t of [x, ...kept]) t.dispose();
});

gpuTest('a shape that the caller changes later does not change the tensor', (gpu) => {
  const shape = [2, 3];
  const x = tensor(gpu, new Float32Array(6), shape);
  shape[0] = 7;
  assert.equal([x.shape, x.size], [[2, 3], 6]);
  x.dispose();
});

// console.log of Node calls this method; a page has no inspect to import.
const inspect = (x: Tensor): unknown =>
  (x as unknown as Record<symbol, () => string>)[Symbol.for('nodejs.util.inspect.custom')]!();

gpuTest('a tensor is shown in one line, without its content', (gpu) => {
  const x = tensor(gpu, new Float32Array(6), [2, 3], 'images');
  const y = relu(x);
  assert.is(String(x), 'Tensor(images, [2,3], f32)');
  assert.is(`${y}`, 'Tensor(relu, [2,3], f32)');
  assert.is(inspect(x), 'Tensor(images, [2,3], f32)');
  x.requiresGrad = true;
  x.dispose();
  assert.is(inspect(x), 'Tensor(images, [2,3], f32, requiresGrad, disposed)');
  const parameter = new Parameter(gpu, new Float32Array(1), [1], 'weight');
  assert.is(inspect(parameter), 'Tensor(weight, [1], f32, requiresGrad)');
  for (const t of [y, parameter]) t.dispose();
});

gpuTest('a tensor converts to neither a number nor JSON', (gpu) => {
  const x = tensor(gpu, [3]);
  const loose = x as unknown as number;
  for (const compute of [() => +loose, () => loose * 2, () => loose + loose, () => loose < 2, () => Math.max(loose, 1)])
    assert.throws(compute, /^Tensor\(tensor, \[1\], f32\) is not a number; compute with ops such as add\(a, b\)/);
  for (const value of [x, { loss: x }, [x]])
    assert.throws(
      () => JSON.stringify(value),
      /JSON.stringify: the content of Tensor.* is on the GPU; await its read\(\)/,
    );
  x.dispose();
});

gpuTest('wrong arguments of tensor are refused with the expected ones', async (gpu) => {
  assert.throws(() => tensor(gpu, [1, 2], [3]), /tensor: shape \[3\] needs 3 elements but data has 2/);
  assert.throws(() => tensor(gpu, [[1, 2], [3]]), /nested arrays must be regular/);
  assert.throws(
    () => tensor(gpu, ['1'] as never),
    /tensor: data\[0\] must be a number or an array of numbers but is '1'/,
  );
  assert.throws(() => empty(gpu, 3 as never), /tensor: shape must be an array of sizes, such as \[2, 3\], but is 3/);
  assert.throws(() => empty(gpu, [-1]), /tensor: shape is \[-1\]; every size must be a whole number >= 0/);
  assert.throws(() => empty(gpu, [1.5]), /shape is \[1.5\]; every size must be/);
  assert.throws(
    () => Reflect.construct(Tensor, [gpu, [1, 2]]),
    /Tensor: the constructor is internal; make tensors with tensor/,
  );
  const x = tensor(gpu, [1, 2]);
  assert.throws(() => write(x, new Float32Array(3)), /needs a Float32Array of 2, but got a Float32Array of 3/);
  const words = tensor(gpu, new Uint32Array(2));
  assert.throws(() => tidy(() => relu(words)), /relu: x must be f32 but is u32/);
  assert.throws(() => relu([1, 2] as never), /relu: x must be a tensor but is /);
  assert.throws(() => relu(undefined as never), /relu: x must be a tensor but is /);
  assert.throws(() => tensor(createGpu() as never, [1]), /tensor: gpu is Promise; await createGpu\(\)/);
  assert.throws(() => tensor([1, 2] as never, [1]), /tensor: gpu is Array; await createGpu\(\)/);
  assert.throws(() => empty(undefined as never, [1]), /tensor: gpu is undefined; await createGpu\(\)/);
  assert.throws(() => tensor(gpu, [1, 2], 2 as never), /tensor: shape must be an array of sizes.* but is 2/);
  assert.throws(
    () => tensor(gpu, [1], { dtype: 'u32' } as never),
    /shape must be an array of sizes.* but is an Object/,
  );
  assert.throws(() => tensor(gpu, [1], [1], { requiresGrad: true } as never), /tensor: label must be a string/);
  assert.throws(() => empty(gpu, [1], 'float32' as never), /dtype must be one of 'f32', 'u32' but is 'float32'/);
  assert.throws(() => empty(gpu, [1], { dtype: 'u32' } as never), /dtype must be one of 'f32', 'u32'/);
  assert.throws(() => write(x, [1, 2] as never), /needs a Float32Array of 2, but got .*an array/);
  assert.throws(() => write(x, undefined as never), /needs a Float32Array of 2, but got undefined/);
  assert.throws(() => write([1] as never, new Float32Array(1)), /write: target must be a tensor but is .*an array/);
  assert.throws(
    () => fromBuffer(gpu, undefined as never, [2]),
    /fromBuffer: shape \[2\] needs 16 bytes, a multiple of 16, but buffer is undef/,
  );
  assert.throws(() => native(undefined as never), /native: x must be a tensor but is undefined/);
  await rejects(words.read(), /read: tensor is u32; use readU32/);
  await rejects(x.item(), /item: tensor\[2\] has 2 elements/);
  x.dispose();
  words.dispose();
});

gpuTest('a tensor larger than the largest binding is refused before memory is allocated', (gpu) => {
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

gpuTest('tidy frees the tensors made in it, except returned and kept ones', (gpu) => {
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

gpuTest('a gradient that tidy returns outlives its tensor and belongs to the outer tidy', async (gpu) => {
  const before = gpu.memory().buffers;
  const gradient = () =>
    tidy(() => {
      const x = tensor(gpu, [1, 2]);
      x.requiresGrad = true;
      backward(x, tensor(gpu, [3, 4]));
      return { x: [x.grad!] };
    });
  const [own] = gradient().x;
  assert.equal([...(await own!.read())], [3, 4]);
  own!.dispose();
  const inner = tidy(() => gradient().x[0]!.shape);
  assert.equal(inner, [2]);
  assert.is(gpu.memory().buffers, before);
});

gpuTest('tidy refuses a promise', (gpu) => {
  const asynchronous = async () => tensor(gpu, [1]);
  // @ts-expect-error a promise is a compile error too
  assert.throws(() => tidy(asynchronous), TypeError);
});

gpuTest('a using declaration frees its tensor', (gpu) => {
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

gpuTest("a caller's buffers are used and returned without a copy", async (gpu) => {
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
  // matmul would read the last of 25 numbers from a vec4 that the buffer cuts off.
  const odd = device.createBuffer({ size: 100, usage: 0x80 });
  assert.throws(() => fromBuffer(gpu, odd, [5, 5]), /shape \[5,5\] needs 112 bytes, .* but the buffer has 100/);
  for (const one of [buffer, odd]) one.destroy();
});

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (e: Error) => e,
  );
  assert.match(error?.message ?? 'nothing was thrown', pattern);
}

run();
