import * as assert from 'uvu/assert';
import { FeatureDataset, ImageDataset } from '../../src/data/dataset.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import type { GpuError } from '../../src/gpu/errors.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { smallCnn } from '../../src/models/smallCnn.ts';
import { Random } from '../../src/random.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { Evaluator } from '../../src/train/evaluate.ts';
import type { MethodName } from '../../src/train/methods/named.ts';
import { predict } from '../../src/train/predict.ts';
import { gpuTest, run } from '../harness.ts';
import { stripes, stripesTrainer } from './stripes.ts';

// Memory limits. Known ones are checked before anything is allocated; the device's own errors appear at the next read.

/** Returns a proxy of a Gpu's device with some properties replaced. */
const altered = (gpu: Gpu, changes: Record<string, unknown>): GPUDevice => {
  const device = gpu.native as GPUDevice;
  return new Proxy(device, {
    get(target, name) {
      if (typeof name === 'string' && Object.hasOwn(changes, name)) return changes[name];
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
};

const limited = (gpu: Gpu, bytes: number): Promise<Gpu> =>
  createGpu({ device: altered(gpu, { limits: { ...gpu.limits, maxStorageBufferBindingSize: bytes } }) });

const MIB = 2 ** 20;
const data = { source: stripes(120, 1), target: stripes(120, 2), numClasses: 4 };

for (const [method, most] of [
  ['pada', 56],
  ['source-only', 113],
] as [MethodName, number][]) {
  gpuTest(
    `${method}: a batch that no buffer holds is refused, and the largest that fits is named and fits`,
    async (gpu) => {
      const small = await limited(gpu, MIB);
      const refusal: GpuError = await stripesTrainer(small, { method, batchSize: most + 1 }, data).catch((e) => e);
      assert.is(refusal.code, 'LIMIT');
      assert.match(
        refusal.message,
        new RegExp(`batchSize ${most + 1} needs a buffer of \\d+ bytes.*allows ${MIB}; use ${most} or less`),
      );
      assert.is(small.memory().peakBytes, 0, 'nothing was made');
      const trainer = await stripesTrainer(small, { method, batchSize: most, classWeightUpdateSteps: 1 }, data);
      await trainer.step();
      assert.ok(Number.isFinite((await trainer.metrics())[0]!.classLoss));
      trainer.dispose();
      small.dispose();
    },
  );
}

gpuTest('evaluation and prediction take as many images at a time as fit', async (gpu) => {
  const small = await limited(gpu, MIB / 4);
  const model = smallCnn(small, { shape: [1, 16, 16], numClasses: 4, random: new Random(1) });
  // 28 images fit; 128 would need 1.2 MB.
  assert.is(smallCnn.geometry.largestBuffer([1, 16, 16], 128), 128 * 9216);
  const evaluator = new Evaluator(small, { data: data.source, model, numClasses: 4 });
  const { labels } = await predict(small, { data: data.source, model });
  assert.is((await evaluator.run()).count, 120);
  assert.is(labels.length, 120);
  for (const thing of [evaluator, model, small]) thing.dispose();
});

gpuTest('examples of which not even two fit are refused without a number', async (gpu) => {
  const small = await limited(gpu, 4 * 9216 - 1);
  const refusal: GpuError = await stripesTrainer(small, { batchSize: 2 }, data).catch((e) => e);
  assert.match(
    refusal.message,
    /batchSize 2 needs a buffer of 36864 bytes, but this device allows 36863; use smaller examples/,
  );
  small.dispose();
});

gpuTest('a tensor over the limit is refused with both sizes, and nothing is made', async (gpu) => {
  const small = await limited(gpu, MIB);
  for (const make of [() => empty(small, [MIB]), () => tensor(small, new Float32Array(MIB))]) {
    assert.throws(make, (e: GpuError) => e.code === 'LIMIT' && /needs 4194304 bytes.*at most 1048576/.test(e.message));
  }
  assert.is(small.memory().peakBytes, 0);
  small.dispose();
});

gpuTest('out of memory on the device is reported by the next read, with the size of the request', async (gpu) => {
  const device = gpu.native as GPUDevice;
  let exhausted = false;
  const popErrorScope = async (): Promise<unknown> => {
    const error = await device.popErrorScope();
    return exhausted ? { message: 'no memory' } : error;
  };
  const other = await createGpu({ device: altered(gpu, { popErrorScope }) });
  const x = tensor(other, [1, 2]);
  assert.equal([...(await x.read())], [1, 2]);
  exhausted = true;
  const y = empty(other, [64], 'f32', 'activations');
  const error: GpuError = await y.read().catch((e) => e);
  assert.is(error.code, 'GPU_OUT_OF_MEMORY');
  assert.match(
    error.message,
    /activations\[64\]: cannot allocate 256 bytes with 256 bytes in use: the GPU is out of memory/,
  );
  for (const t of [x, y]) t.dispose();
  other.dispose();
});

gpuTest('out of memory on the host during an upload is reported too', async (gpu) => {
  const device = gpu.native as GPUDevice;
  let exhausted = false;
  const createBuffer = (wanted: GPUBufferDescriptor): GPUBuffer => {
    if (exhausted) throw new RangeError('cannot be mapped');
    return device.createBuffer(wanted);
  };
  const other = await createGpu({ device: altered(gpu, { createBuffer }) });
  exhausted = true;
  assert.throws(
    () => tensor(other, [1, 2], undefined, 'images'),
    (e: GpuError) =>
      e.code === 'GPU_OUT_OF_MEMORY' && /^images: cannot allocate 256 bytes with 0 bytes in use/.test(e.message),
  );
  assert.is(other.memory().buffers, 0);
  other.dispose();
});

gpuTest('a data set that the device cannot bind is refused, with the number of examples that it can', async (gpu) => {
  const small = await limited(gpu, 700);
  const refused = (make: () => unknown, message: string) =>
    assert.throws(make, (error: GpuError) => error.code === 'LIMIT' && error.message.startsWith(message));
  const [three, two] = [stripes(3, 1), stripes(2, 1)];
  refused(
    () => new ImageDataset(small, three, 2, { label: 'source' }),
    'source: 3 images take 768 bytes, but this device binds at most 700 at once; use 2 or fewer',
  );
  new ImageDataset(small, two, 2).dispose();
  const vectors = { features: new Float32Array(200), count: 10, dim: 20 };
  refused(
    () => new FeatureDataset(small, vectors, 2),
    'data: 10 vectors take 800 bytes, but this device binds at most 700 at once; use 8 or fewer',
  );
  small.dispose();
});

run();
