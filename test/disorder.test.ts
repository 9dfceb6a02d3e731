import * as assert from 'uvu/assert';
import { createGpu } from '../src/gemm/createGpu.ts';
import type { Gpu } from '../src/gpu/gpu.ts';
import { defineKernel } from '../src/gpu/kernel.ts';
import { empty } from '../src/tensor.ts';
import { disorder, ORDERS } from './disorder.ts';
import { gpuTest, run } from './harness.ts';

// The other orders must show a race between workgroups, and one inside a workgroup that lacks a barrier.

const SIZE = 64 * 100;
const parts = `
  struct Params { size: u32 }
  @group(0) @binding(0) var<uniform> params: Params;
  @group(0) @binding(1) var<storage, read_write> y: array<u32>;
  var<workgroup> shared_: array<u32, 64>;`;

/** Every number where it belongs, by its workgroup and its invocation. */
const sound = defineKernel(
  'sound',
  `${parts}
  @compute @workgroup_size(64) fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) lid: u32) {
    let i = (wid.y * groups.x + wid.x) * 64u + lid;
    shared_[lid] = i;
    workgroupBarrier();
    if (i < params.size) { y[i] = shared_[63u - lid]; }
  }`,
  ['forward'],
);
const withoutBarrier = defineKernel(
  'withoutBarrier',
  `${parts}
  @compute @workgroup_size(64) fn forward(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) lid: u32) {
    shared_[lid] = lid + 1u;
    y[wid.x * 64u + lid] = shared_[(lid + 8u) % 64u];
  }`,
  ['forward'],
);
const lastWins = defineKernel(
  'lastWins',
  `${parts}
  @compute @workgroup_size(64) fn forward(@builtin(global_invocation_id) id: vec3u) {
    if (id.x < params.size) { y[id.x % 64u] = id.x / 64u; }
  }`,
  ['forward'],
);

async function computed(gpu: Gpu, kernel: typeof sound, groups: number | [number, number]): Promise<Uint32Array> {
  const y = empty(gpu, [SIZE], 'u32');
  kernel.forward({ y }, { size: SIZE }, groups);
  const numbers = await y.readU32();
  y.dispose();
  return numbers;
}

for (const order of ORDERS) {
  gpuTest(`work in ${order} order is the same work, and shows races`, async (gpu) => {
    const other = await createGpu();
    disorder(other.native)(order);
    const results = (kernel: typeof sound, groups: number | [number, number]) =>
      Promise.all([computed(gpu, kernel, groups), computed(other, kernel, groups)]);

    // The last five of 7 x 15 workgroups have nothing to do.
    for (const groups of [100, [7, 15]] as (number | [number, number])[]) {
      const [own, disordered] = await results(sound, groups);
      assert.equal([...own.subarray(0, 3)], [63, 62, 61]);
      assert.equal(disordered, own);
    }
    // On a GPU a race is a matter of luck; SwiftShader does a whole workgroup in step.
    if (gpu.info.software) assert.not.equal(...(await results(lastWins, 100)));
    if (gpu.info.device.includes('llvmpipe')) assert.not.equal(...(await results(withoutBarrier, 100)));
    other.dispose();
  });
}

run();
