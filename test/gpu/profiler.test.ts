import * as assert from 'uvu/assert';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { adoptDevice } from '../../src/gpu/adapter.ts';
import { Gpu } from '../../src/gpu/gpu.ts';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { conv2d } from '../../src/ops/conv2d.ts';
import { gatherRows } from '../../src/ops/gatherRows.ts';
import { imageBatch } from '../../src/ops/imageBatch.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { empty, type Tensor, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

const SIZE = 1000;

const kernel = defineKernel(
  'sample',
  `struct Params { size: u32 }
   @group(0) @binding(0) var<uniform> params: Params;
   @group(0) @binding(1) var<storage, read_write> x: array<f32>;
   @compute @workgroup_size(64) fn increment(@builtin(global_invocation_id) id: vec3u) {
     if (id.x < params.size) { x[id.x] += 1.0; }
   }
   @compute @workgroup_size(64) fn double(@builtin(global_invocation_id) id: vec3u) {
     if (id.x < params.size) { x[id.x] *= 2.0; }
   }`,
  ['increment', 'double'],
);
const groups = Math.ceil(SIZE / 64);
const increment = (x: Tensor) => kernel.increment({ x }, { size: SIZE }, groups);
const double = (x: Tensor) => kernel.double({ x }, { size: SIZE }, groups, { flops: SIZE, bytes: 8 * SIZE });

/** Runs a test with the adapter's clock, and again as on an adapter without timestamps. */
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
    double(x);
    increment(x);
  });
  const most = (performance.now() - start) / 1000;
  assert.is(profile.clock, clock);
  assert.equal([...new Set(await x.read())], [5]);
  const rows = Object.fromEntries(profile.rows.map((row) => [row.kernel, row]));
  assert.equal(Object.keys(rows).sort(), ['sample.double', 'sample.increment']);
  assert.is(rows['sample.increment']!.calls, 2);
  assert.is(rows['sample.increment']!.flops, 0);
  assert.is(rows['sample.increment']!.bytes, 2 * 4 * SIZE);
  assert.is(rows['sample.double']!.calls, 1);
  assert.is(rows['sample.double']!.flops, SIZE);
  assert.is(rows['sample.double']!.bytes, 8 * SIZE);
  assert.is(profile.events.length, 3);
  assert.equal(
    profile.events.map((event) => event.kernel),
    ['sample.increment', 'sample.double', 'sample.increment'],
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
    double(x);
  });
  step.run();
  assert.is(between, 2);
  assert.is((await x.read())[0], 5);
  assert.equal(
    profile.events.map((event) => event.kernel),
    ['sample.increment', 'sample.increment', 'sample.double'],
  );
  step.dispose();
  x.dispose();
});

gpuTest('a profile takes more dispatches than a query set holds', async (gpu) => {
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

gpuTest(
  'only one profile runs at a time; an error of the function is thrown, and the next profile works',
  async (gpu) => {
    const inside = gpu.profile(async () => {
      await gpu.profile(() => {});
    });
    await inside.then(
      () => assert.unreachable(),
      (error: Error) => assert.match(error.message, 'profile: another profile is running'),
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
  },
);

gpuTest('a profile fails if the device is lost', async () => {
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

gpuTest('GEMM kernels count their operations, with k split or not, and so does direct convolution', async (gpu) => {
  const [a, b] = [empty(gpu, [6, 5]), empty(gpu, [5, 7])];
  const [long, tall] = [empty(gpu, [6, 2100]), empty(gpu, [2100, 7])];
  const [x, weight] = [empty(gpu, [2, 3, 9, 9]), empty(gpu, [4, 3, 3, 3])];
  const made: Tensor[] = [];
  const { events } = await gpu.profile(() => {
    made.push(matmul(a, b), matmul(long, tall), conv2d(x, weight));
  });
  assert.equal(
    events.map(({ flops }) => flops).filter((flops) => flops > 0),
    [2 * 6 * 7 * 5, 2 * 6 * 7 * 2100, 2 * (2 * 4 * 7 * 7) * (3 * 3 * 3)],
  );
  for (const one of [a, b, long, tall, x, weight, ...made]) one.dispose();
});

gpuTest('a launch refuses an option that it does not know', (gpu) => {
  const x = empty(gpu, [SIZE]);
  const options = { LANES: 4 } as object;
  assert.throws(() => kernel.increment({ x }, { size: SIZE }, groups, options), /sample\.increment.*LANES/);
  x.dispose();
});

gpuTest('a profile counts a tensor once per kernel, and of a large one only the part that it reads', async (gpu) => {
  const index = tensor(gpu, Uint32Array.from([7, 3]));
  const x = empty(gpu, [SIZE, 10]);
  const images = empty(gpu, [SIZE * 49], 'u32');
  const order = empty(gpu, [SIZE], 'u32');
  const data = { images, labels: order, count: SIZE, shape: [1, 14, 14] };
  const [a, b] = [empty(gpu, [2, 3]), empty(gpu, [3, 4])];
  const made: Tensor[] = [];
  const { rows } = await gpu.profile(() => {
    made.push(gatherRows(x, index));
    const batch = imageBatch(data, { order, offset: 0, size: 8 });
    made.push(batch.x, batch.labels!);
    // Binds a twice, because it has no mask.
    made.push(matmul(a, b));
  });
  const bytes = Object.fromEntries(rows.map((row) => [row.kernel, row.bytes]));
  // Two rows of ten, read and written, and two indices. Eight images of 196 bytes, as floats, with indices and labels.
  assert.equal(bytes, {
    'gatherRows.forward': 4 * (20 + 20 + 2),
    'imageBatch.labelled': 8 * (196 + 4 * 196 + 4 + 4 + 4),
    'matmul.gemm': 4 * (6 + 12 + 8),
  });
  for (const one of [index, x, images, order, a, b, ...made]) one.dispose();
});

run();
