import * as assert from 'uvu/assert';
import { capture } from '../../src/capture.ts';
import { adoptDevice } from '../../src/gpu/device.ts';
import { createGpu, Gpu } from '../../src/gpu/gpu.ts';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { gatherRows } from '../../src/ops/gatherRows.ts';
import { imageBatch } from '../../src/ops/imageBatch.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

const SIZE = 1000;

// An entry point called `product` stands for a gemm core: its params say what it multiplies.
const kernel = defineKernel(
  'sample',
  `struct Params { m: u32, n: u32, k: u32, depth: u32 }
   @group(0) @binding(0) var<uniform> params: Params;
   @group(0) @binding(1) var<storage, read_write> x: array<f32>;
   @compute @workgroup_size(64) fn increment(@builtin(global_invocation_id) id: vec3u) {
     if (id.x < params.m) { x[id.x] += 1.0; }
   }
   @compute @workgroup_size(64) fn product(@builtin(global_invocation_id) id: vec3u) {
     if (id.x < params.m) { x[id.x] *= 2.0; }
   }`,
  ['increment', 'product'],
);
const params = { m: SIZE, n: 3, k: 5, depth: 5 };
const increment = (x: Tensor) => kernel.increment({ x }, params, Math.ceil(SIZE / 64));
const product = (x: Tensor) => kernel.product({ x }, params, Math.ceil(SIZE / 64));

/** Each with what the adapter has, and as on one that has no timestamps. */
function profileTest(name: string, body: (gpu: Gpu, clock: 'timestamps' | 'wall') => Promise<void>): void {
  gpuTest(name, (gpu) => body(gpu, gpu.features.has('timestamp-query') ? 'timestamps' : 'wall'));
  gpuTest(`${name}, by the wall clock`, async (shared) => {
    const device = adoptDevice(shared.native);
    Object.assign(device, {
      features: new Set([...device.features].filter((feature) => feature !== 'timestamp-query')),
    });
    const gpu = new Gpu(device, {});
    await body(gpu, 'wall');
    gpu.dispose();
  });
}

profileTest('a profile counts calls, operations and bytes of eager work, and changes no result', async (gpu, clock) => {
  const x = tensor(gpu, new Float32Array(SIZE));
  increment(x);
  const start = performance.now();
  const profile = await gpu.profile(() => {
    increment(x);
    product(x);
    increment(x);
  });
  const most = (performance.now() - start) / 1000;
  assert.is(profile.clock, clock);
  assert.equal([...new Set(await x.read())], [5]);
  const rows = Object.fromEntries(profile.rows.map((row) => [row.kernel, row]));
  assert.equal(Object.keys(rows).sort(), ['sample.increment', 'sample.product']);
  assert.is(rows['sample.increment']!.calls, 2);
  assert.is(rows['sample.increment']!.flops, 0);
  assert.is(rows['sample.increment']!.bytes, 2 * 4 * SIZE);
  assert.is(rows['sample.product']!.calls, 1);
  assert.is(rows['sample.product']!.flops, 2 * SIZE * 3 * 5);
  assert.is(profile.events.length, 3);
  assert.equal(
    profile.events.map((event) => event.kernel),
    ['sample.increment', 'sample.product', 'sample.increment'],
  );
  assert.is(profile.events[0]!.start, 0);
  assert.ok(profile.events.every((event) => event.seconds >= 0 && event.seconds <= most));
  const shares = profile.rows.reduce((sum, row) => sum + row.share, 0);
  assert.ok(profile.seconds === 0 || Math.abs(shares - 1) < 1e-9);
  x.dispose();
});

profileTest('a profile takes captured steps, reads within it, and only what it holds', async (gpu) => {
  const x = tensor(gpu, new Float32Array(SIZE));
  const step = await capture(gpu, () => increment(x));
  let between = 0;
  const profile = await gpu.profile(async () => {
    step.run();
    step.run();
    between = (await x.read())[SIZE - 1]!;
    product(x);
  });
  step.run();
  assert.is(between, 2);
  assert.is((await x.read())[0], 5);
  assert.equal(
    profile.events.map((event) => event.kernel),
    ['sample.increment', 'sample.increment', 'sample.product'],
  );
  step.dispose();
  x.dispose();
});

gpuTest('more dispatches than a query set holds', async (gpu) => {
  const x = tensor(gpu, new Float32Array(SIZE));
  const step = await capture(gpu, () => {
    for (let i = 0; i < 2100; i++) increment(x);
  });
  const profile = await gpu.profile(() => step.run());
  assert.is(profile.rows[0]!.calls, 2100);
  assert.is((await x.read())[0], 2100);
  step.dispose();
  x.dispose();
});

gpuTest('one profile at a time; what the function throws comes through, and the next profile works', async (gpu) => {
  const inside = gpu.profile(async () => {
    await gpu.profile(() => {});
  });
  await inside.then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, 'profile: another profile is being taken'),
  );
  await gpu
    .profile(() => {
      throw new Error('mine');
    })
    .then(
      () => assert.unreachable(),
      (error: Error) => assert.is(error.message, 'mine'),
    );
  assert.equal((await gpu.profile(() => {})).rows, []);
});

gpuTest('a lost device is an error', async () => {
  const gpu = await createGpu();
  const x = empty(gpu, [SIZE]);
  const profile = gpu.profile(() => {
    increment(x);
    gpu.native.destroy();
  });
  await profile.then(
    () => assert.unreachable(),
    (error: { code: string }) => assert.is(error.code, 'GPU_LOST'),
  );
  gpu.dispose();
});

gpuTest('a kernel that picks out of much is credited with what it picks', async (gpu) => {
  const index = tensor(gpu, Uint32Array.from([7, 3]));
  const x = empty(gpu, [SIZE, 10]);
  const images = empty(gpu, [SIZE * 49], 'u32');
  const order = empty(gpu, [SIZE], 'u32');
  const data = { images, labels: order, count: SIZE, channels: 1, height: 14, width: 14 };
  const made: Tensor[] = [];
  const { rows } = await gpu.profile(() => {
    made.push(gatherRows(x, index));
    const batch = imageBatch(data, { order, offset: 0, size: 8 });
    made.push(batch.x, batch.labels!);
  });
  const bytes = Object.fromEntries(rows.map((row) => [row.kernel, row.bytes]));
  // Two rows of ten read and written, by two numbers; eight images of 196 bytes as floats, by numbers, with their labels.
  assert.equal(bytes, {
    'gatherRows.forward': 4 * (20 + 20 + 2),
    'imageBatch.labelled': 8 * (196 + 4 * 196 + 4 + 4 + 4),
  });
  for (const one of [index, x, images, order, ...made]) one.dispose();
});

run();
