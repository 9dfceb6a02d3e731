import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { webgpu } from '#gpu';
import { capture } from '../../src/capture.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import { requestDevice } from '../../src/gpu/adapter.ts';
import type { GpuError } from '../../src/gpu/errors.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { maxPool2d } from '../../src/ops/maxPool2d.ts';
import { relu } from '../../src/ops/relu.ts';
import { softmax } from '../../src/ops/softmax.ts';
import { softmaxColumnMean } from '../../src/ops/softmaxColumnMean.ts';
import { sum } from '../../src/ops/sum.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

gpuTest('the adapter has a name, and a software adapter is recognised', (gpu) => {
  const { vendor, architecture, device, description, software } = gpu.info;
  assert.ok(`${vendor}${architecture}${device}${description}`.length > 0);
  assert.is(software, /llvmpipe|swiftshader|software/i.test(`${architecture} ${device} ${description}`));
  assert.ok(['subgroup', 'workgroup', 'plain'].includes(gemmFamily(gpu)));
});

gpuTest('software adapters are refused or required on request', async (gpu) => {
  const unwanted = gpu.info.software ? 'refuse' : 'require';
  const error: GpuError = await createGpu({ software: unwanted }).then(
    () => assert.unreachable(),
    (e) => e,
  );
  assert.is(error.code, 'NO_ADAPTER');
  (await createGpu({ software: gpu.info.software ? 'require' : 'refuse' })).dispose();
});

test('createGpu refuses unknown options and wrong values', async () => {
  const refused = async (options: unknown, message: RegExp) => {
    const error: Error = await createGpu(options as object).then(
      () => assert.unreachable(`${JSON.stringify(options)} is accepted`),
      (e) => e,
    );
    assert.match(error.message, message);
  };
  await refused({ powerPreference: 'low-power' }, /createGpu: unknown option powerPreference; its options are device,/);
  await refused({ subGroups: false }, /unknown option subGroups; did you mean subgroups\?/);
  await refused({ software: true }, /software must be one of 'allow', 'refuse', 'require' but is true \(a boolean\)/);
  await refused({ subgroups: 'false' }, /subgroups must be true or false but is 'false' \(a string\)/);
  await refused({ limits: {} }, /limits must be one of 'adapter', 'default' but is an? [oO]bject/);
  await refused({ gemm: 'matrix' }, /gemm must be one of 'subgroup', 'workgroup', 'plain' but is 'matrix'/);
  await refused({ kind: 'software' }, /kind must be one of 'cpu', 'gpu' but is 'software'/);
  await refused({ features: 'shader-f16' }, /features must be an array of names but is 'shader-f16' \(a string\)/);
  await refused('software', /createGpu: expected an options object/);
  await refused({ device: await (await webgpu()).requestAdapter() }, /device must be a GPUDevice, as `await adapter/);
});

gpuTest('default limits are those of the specification', async () => {
  const small = await createGpu({ limits: 'default' });
  assert.is(small.limits.maxStorageBuffersPerShaderStage, 8);
  assert.is(small.limits.maxComputeInvocationsPerWorkgroup, 256);
  assert.is(small.limits.maxComputeWorkgroupStorageSize, 16384);
  small.dispose();
});

gpuTest('subgroups can be switched off', async () => {
  const without = await createGpu({ subgroups: false });
  assert.is(without.subgroupSize, 0);
  assert.not(without.features.has('subgroups'));
  assert.is.not(gemmFamily(without), 'subgroup');
  without.dispose();
});

gpuTest('a GPU is asked for 8 lanes only if it takes them', async (gpu) => {
  if (!gpu.features.has('subgroup-size-control')) return;
  for (const takes of [true, false]) {
    const listing = new Proxy(gpu.native as GPUDevice, {
      get: (target, name) => {
        if (name === 'adapterInfo') return { subgroupMinSize: 8, subgroupMaxSize: 32 };
        if (name === 'createComputePipelineAsync' && !takes) return () => Promise.reject(new Error('refused'));
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const asking = await createGpu({ device: listing, kind: 'gpu' });
    assert.is(asking.device.takesFewLanes, takes && gpu.subgroupSize === 8);
    const usual = await createGpu({ device: listing, kind: 'cpu' });
    assert.not(usual.device.takesFewLanes);
    for (const one of [asking, usual]) one.dispose();
  }
});

gpuTest('kernels are chosen for a CPU or a GPU: the kind of the adapter, or the forced one', async () => {
  const usual = await createGpu();
  assert.is(usual.kind, usual.info.software ? 'cpu' : 'gpu');
  for (const kind of ['cpu', 'gpu'] as const) {
    const forced = await createGpu({ kind });
    assert.equal([forced.kind, gemmFamily(forced) === 'workgroup'], [kind, kind === 'gpu']);
    forced.dispose();
  }
  usual.dispose();
});

gpuTest('a forced GEMM family changes no other op', async () => {
  const constants: string[] = [];
  for (const gemm of [undefined, 'workgroup', 'plain'] as const) {
    const forced = await createGpu({ kind: 'cpu', ...(gemm && { gemm }) });
    const create = forced.native.createComputePipelineAsync.bind(forced.native);
    const used: unknown[] = [];
    Object.defineProperty(forced.native, 'createComputePipelineAsync', {
      value: (descriptor: GPUComputePipelineDescriptor) => {
        used.push(descriptor.compute.constants);
        return create(descriptor);
      },
    });
    const x = empty(forced, [64, 40]);
    const image = empty(forced, [1, 2, 8, 8]);
    const step = await capture(forced, () => {
      const y = softmax(x);
      return [y, softmaxColumnMean(x), sum(y, { dim: 1 }), maxPool2d(image, { kernelSize: 2 })];
    });
    constants.push(JSON.stringify(used));
    assert.is(forced.kind, 'cpu');
    if (gemm) assert.is(gemmFamily(forced), gemm);
    for (const one of [step, x, image, forced]) one.dispose();
  }
  assert.is(new Set(constants).size, 1);
  assert.match(constants[0]!, /"LANES":1/);
});

gpuTest('an adapter without a description, as in some browsers, gets kernels that work everywhere', async () => {
  const adapter = (await (await webgpu()).requestAdapter())!;
  const silent = new Proxy(adapter, {
    get: (target, name) => {
      const value: unknown = name === 'info' ? undefined : Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const device = await requestDevice({ requestAdapter: async () => silent } as unknown as GPU, {});
  assert.equal(device.info, { vendor: '', architecture: '', device: '', description: '', software: false });
  assert.is(device.subgroupSize, 0);
  device.dispose();
});

gpuTest('a device of the caller is not destroyed', async (gpu) => {
  const second = await createGpu({ device: gpu.native });
  const x = tensor(second, [-1, 2]);
  const y = relu(x);
  assert.equal([...(await y.read())], [0, 2]);
  second.dispose();
  assert.throws(
    () => tensor(second, [1]),
    (e: GpuError) => e.code === 'GPU_DISPOSED',
  );
  const mine = tensor(gpu, [3]);
  assert.is(await mine.item(), 3);
  mine.dispose();
});

gpuTest("the errors of a caller's device reach the caller again after dispose", async (gpu) => {
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = gpu.native as GPUDevice;
  const spied = new Proxy(gpu.native as GPUDevice, {
    get(target, name) {
      if (name === 'addEventListener')
        return (type: 'uncapturederror', listener: () => void) => {
          listeners.add(listener);
          addEventListener.call(target, type, listener);
        };
      if (name === 'removeEventListener')
        return (type: 'uncapturederror', listener: () => void) => {
          listeners.delete(listener);
          removeEventListener.call(target, type, listener);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const guest = await createGpu({ device: spied });
  assert.is(listeners.size, 1);
  guest.dispose();
  assert.is(listeners.size, 0);
});

gpuTest('a kernel refuses tensors of two Gpus', async (gpu) => {
  const other = await createGpu();
  const { defineKernel } = await import('../../src/gpu/kernel.ts');
  const kernel = defineKernel(
    'two',
    '@group(0) @binding(0) var<storage, read> a: array<f32>; @group(0) @binding(1) var<storage, read_write> b: array<f32>; @compute @workgroup_size(1) fn main() { b[0] = a[0]; }',
    ['main'],
  );
  const [a, b] = [tensor(gpu, [1]), tensor(other, [1])];
  assert.throws(() => kernel.main({ a, b }, {}, 1), /two.main: b \(tensor\) is on a different Gpu than a/);
  a.dispose();
  other.dispose();
});

test('a lost device is an error, never zeros', async () => {
  const gpu = await createGpu();
  const x = tensor(gpu, [1, 2]);
  gpu.native.destroy();
  const error: GpuError = await x.read().then(
    () => assert.unreachable(),
    (e) => e,
  );
  assert.is(error.code, 'GPU_LOST', error.message);
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.throws(
    () => relu(x),
    (e: GpuError) => e.code === 'GPU_LOST',
  );
  gpu.dispose();
});

gpuTest('the first error on the device is thrown at the next read', async (gpu) => {
  gpu.native.createBuffer({ size: 4, usage: 0x1 | 0x80 });
  await new Promise((resolve) => setTimeout(resolve, 10));
  const x = tensor(gpu, [1]);
  const error: GpuError = await x.read().then(
    () => assert.unreachable(),
    (e) => e,
  );
  assert.is(error.code, 'GPU_VALIDATION');
  assert.is(await x.item(), 1, 'once only');
  x.dispose();
});

gpuTest('a rejection of a device that is gone counts as a lost device', async () => {
  const gone = () => Promise.reject(new Error('Instance dropped'));
  const patched: [string, (gpu: Gpu) => unknown, (gpu: Gpu) => Promise<unknown>][] = [
    ['onSubmittedWorkDone', (gpu) => gpu.native.queue, (gpu) => gpu.idle()],
    [
      'createShaderModule',
      (gpu) => gpu.native,
      (gpu) => {
        const x = tensor(gpu, [1]);
        return capture(gpu, () => relu(x));
      },
    ],
  ];
  for (const [name, target, work] of patched) {
    const gpu = await createGpu();
    const value = name === 'createShaderModule' ? () => ({ getCompilationInfo: gone }) : gone;
    Object.defineProperty(target(gpu), name, { value });
    const error: GpuError = await work(gpu).then(
      () => assert.unreachable(),
      (e) => e,
    );
    assert.equal([error.code, /Instance dropped/.test(error.message)], ['GPU_LOST', true], name);
    gpu.dispose();
  }
});

run();
