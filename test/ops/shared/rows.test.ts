import * as assert from 'uvu/assert';
import rowsSource from '../../../shaders/rows.wgsl';
import { defineKernel } from '../../../src/gpu/kernel.ts';
import { empty, tensor } from '../../../src/tensor.ts';
import { gpuTest, run } from '../../harness.ts';

// rows.wgsl gives every lane of a row the row's sum and its largest element, and a kernel may ask for both again at once. No op
// uses both in every lane yet, so only this test would notice a missing barrier.

const kernel = defineKernel(
  'rows in turn',
  [
    rowsSource,
    `struct Params { rounds: u32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read> x: array<f32>;
    @group(0) @binding(2) var<storage, read_write> sums: array<f32>;
    @group(0) @binding(3) var<storage, read_write> most: array<f32>;
    @compute @workgroup_size(WG) fn forward(@builtin(local_invocation_index) lid: u32) {
      for (var k = 0u; k < params.rounds; k++) { sums[k * WG + lid] = rowSum(lid, x[k * WG + lid]); }
      for (var k = 0u; k < params.rounds; k++) { most[k * WG + lid] = rowMax(lid, x[k * WG + lid]); }
    }`,
  ],
  ['forward'],
);

for (const LANES of [1, 2, 4, 8, 16, 32, 64]) {
  gpuTest(`all ${LANES} lanes of a row get its sum and its largest, time after time`, async (gpu) => {
    const rounds = 5;
    // Whole numbers, whose sums are exact.
    const data = Float32Array.from({ length: 64 * rounds }, (_, i) => (i * 37) % 101);
    const x = tensor(gpu, data);
    const [sums, most] = [empty(gpu, [data.length]), empty(gpu, [data.length])];
    kernel.forward({ x, sums, most }, { rounds }, 1, { constants: { LANES } });
    const rows = Array.from(data, (_, i) => [...data.subarray(i - (i % LANES), i - (i % LANES) + LANES)]);
    assert.equal(
      [...(await sums.read())],
      rows.map((row) => row.reduce((a, v) => a + v)),
    );
    assert.equal(
      [...(await most.read())],
      rows.map((row) => Math.max(...row)),
    );
    for (const held of [x, sums, most]) held.dispose();
  });
}

run();
