import * as assert from 'uvu/assert';
import * as reference from '../../reference/index.ts';
import { withVariants } from '../../src/gemm/settings.ts';
import type { GemmVariant } from '../../src/gemm/variants.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { tensor } from '../../src/tensor.ts';
import { assertClose, assertSameBits, gpuTest, inOwnOrder, run, seeded, uniform } from '../harness.ts';

// Every tile of every family, with k split or not. 9 parts are more than 67 steps of k fill. 17 parts are more than the lanes that add
// them up.
const VARIANTS: (GemmVariant & { takesFewLanes?: boolean })[] = [
  { family: 'workgroup', tileRows: 32, tileColumns: 32, block: 4, splitK: 1 },
  { family: 'workgroup', tileRows: 32, tileColumns: 64, block: 4, splitK: 3 },
  { family: 'workgroup', tileRows: 64, tileColumns: 32, block: 4, splitK: 1 },
  { family: 'workgroup', tileRows: 64, tileColumns: 64, block: 4, splitK: 1 },
  { family: 'workgroup', tileRows: 64, tileColumns: 64, block: 8, splitK: 3 },
  { family: 'workgroup', tileRows: 128, tileColumns: 128, block: 8, splitK: 1 },
  { family: 'workgroup', tileRows: 64, tileColumns: 64, block: 8, splitK: 3, takesFewLanes: true },
  { family: 'workgroup', tileRows: 128, tileColumns: 128, block: 8, splitK: 1, takesFewLanes: true },
  { family: 'plain', tileRows: 32, tileColumns: 32, splitK: 3 },
  { family: 'subgroup', tileRows: 16, tileColumns: 32, splitK: 1 },
  { family: 'subgroup', tileRows: 32, tileColumns: 32, splitK: 3 },
  { family: 'workgroup', tileRows: 32, tileColumns: 64, block: 4, splitK: 17 },
  { family: 'workgroup', tileRows: 64, tileColumns: 64, block: 8, splitK: 9 },
  { family: 'plain', tileRows: 32, tileColumns: 32, splitK: 9 },
  { family: 'subgroup', tileRows: 32, tileColumns: 32, splitK: 9 },
];

for (const { takesFewLanes = false, ...variant } of VARIANTS) {
  const { family, tileRows, tileColumns, block, splitK } = variant;
  gpuTest(
    `matmul by the ${family} kernel, tile ${tileRows} x ${tileColumns} in blocks of ${block}, k in ${splitK} parts${takesFewLanes ? ', with 8 lanes' : ''}`,
    async (gpu) => {
      if (family === 'subgroup' && gpu.subgroupSize < 8) return;
      if (takesFewLanes && (gpu.subgroupSize !== 8 || !gpu.features.has('subgroup-size-control'))) return;
      const { device } = gpu;
      const usual = device.takesFewLanes;
      device.takesFewLanes = takesFewLanes;
      const [m, n, k] = splitK === 17 ? [34, 35, 543] : [130, 133, 67];
      const random = seeded(1);
      const [left, right] = [uniform([m, k], random), uniform([k, n], random)];
      const expected = reference.matmul({ shape: [m, k], data: left }, { shape: [k, n], data: right }).data;
      const [a, b] = [tensor(gpu, left, [m, k]), tensor(gpu, right, [k, n])];
      const asked: unknown[] = [];
      const multiply = () =>
        withVariants(
          gpu,
          (use) => {
            asked.push(use);
            return variant;
          },
          () => matmul(a, b),
        );
      const { events } = await gpu.profile(async () => (await multiply()).dispose());
      assert.is(events.length, splitK > 1 ? 2 : 1);
      assert.equal(asked, [{ name: 'matmul', m, n, k }]);
      const y = await multiply();
      const found = await y.read();
      assertClose('y', found, expected, { rtol: 1e-5, atol: 1e-5 });
      const again = await inOwnOrder(gpu, multiply);
      if (again) assertSameBits('y in another order', found, await again.read());
      for (const one of [a, b, y, again]) one?.dispose();
      device.takesFewLanes = usual;
    },
  );
}

run();
