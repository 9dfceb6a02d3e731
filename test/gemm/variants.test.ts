import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseVariant, constantsOf, type GemmTraits, lanesFor, listVariants } from '../../src/gemm/variants.ts';

// The devices that the table distinguishes, with what it chooses for sizes on both sides of each of its limits. The bits of a
// training run depend on these choices.

const DEVICES: Record<string, GemmTraits> = {
  'CPU with 8 lanes': { kind: 'cpu', lanes: 8, minLanes: 8, maxInvocations: 1024 },
  'CPU with 4 lanes': { kind: 'cpu', lanes: 4, minLanes: 4, maxInvocations: 1024 },
  'CPU without subgroups': { kind: 'cpu', lanes: 0, minLanes: 0, maxInvocations: 256 },
  GPU: { kind: 'gpu', lanes: 32, minLanes: 32, maxInvocations: 1024 },
  'GPU with few lanes': { kind: 'gpu', lanes: 0, minLanes: 8, maxInvocations: 1024 },
  'GPU that takes few lanes': { kind: 'gpu', lanes: 16, minLanes: 8, takesFewLanes: true, maxInvocations: 1024 },
  'GPU with unknown lanes': { kind: 'gpu', lanes: 0, minLanes: 0, maxInvocations: 256 },
  'GPU with few invocations': { kind: 'gpu', lanes: 32, minLanes: 32, maxInvocations: 128 },
  'GPU in half precision': { kind: 'gpu', lanes: 32, minLanes: 32, maxInvocations: 1024, family: 'half' },
  'GPU with subgroup matrices': {
    kind: 'gpu',
    lanes: 32,
    minLanes: 32,
    maxInvocations: 1024,
    family: 'matrix-f16-8x8x8',
  },
  'GPU with subgroup matrices of f32': {
    kind: 'gpu',
    lanes: 32,
    minLanes: 32,
    maxInvocations: 1024,
    family: 'matrix-f32-8x8x8',
  },
  'CPU forced to another kernel': { kind: 'cpu', lanes: 8, minLanes: 8, maxInvocations: 1024, family: 'workgroup' },
};

const CHOICES: [device: string, sizes: [m: number, n: number, k: number], choice: string][] = [
  ['CPU with 8 lanes', [16, 1024, 1024], 'subgroup 16x32 /1'],
  ['CPU with 8 lanes', [17, 1024, 1024], 'subgroup 32x32 /1'],
  ['CPU with 8 lanes', [32, 32, 1023], 'subgroup 32x32 /1'],
  ['CPU with 8 lanes', [32, 32, 1024], 'subgroup 32x32 /2'],
  ['CPU with 8 lanes', [32, 32, 9216], 'subgroup 32x32 /4'],
  ['CPU with 8 lanes', [128, 32, 9216], 'subgroup 32x32 /1'],
  ['CPU with 4 lanes', [16, 1024, 1024], 'plain 32x32 /1'],
  ['CPU without subgroups', [16, 16, 2048], 'plain 32x32 /4'],
  ['GPU', [32, 32, 25], 'workgroup 32x32 4x4 /1'],
  ['GPU', [32, 33, 25], 'workgroup 32x64 4x4 /1'],
  ['GPU', [33, 32, 25], 'workgroup 64x32 4x4 /1'],
  ['GPU', [32, 36864, 25], 'workgroup 32x64 4x4 /1'],
  ['GPU', [33, 36864, 25], 'workgroup 64x64 4x4 /1'],
  ['GPU', [64, 128, 8192], 'workgroup 64x64 4x4 /64'],
  ['GPU', [64, 128, 8191], 'workgroup 32x64 4x4 /52'],
  ['GPU', [64, 128, 255], 'workgroup 32x64 4x4 /1'],
  ['GPU', [64, 128, 256], 'workgroup 32x64 4x4 /2'],
  ['GPU', [64, 128, 801], 'workgroup 32x64 4x4 /6'],
  ['GPU', [512, 512, 256], 'workgroup 64x64 4x4 /2'],
  ['GPU', [448, 512, 256], 'workgroup 32x64 4x4 /2'],
  ['GPU', [16, 26, 36864], 'workgroup 32x32 4x4 /288'],
  ['GPU', [16, 26, 131072], 'workgroup 32x32 4x4 /512'],
  ['GPU', [1024, 512, 1024], 'workgroup 64x64 4x4 /1'],
  ['GPU', [2048, 2048, 2048], 'workgroup 128x128 8x8 /1'],
  ['GPU', [2048, 2047, 2048], 'workgroup 64x64 8x8 /1'],
  ['GPU', [2048, 1023, 2048], 'workgroup 64x64 4x4 /1'],
  ['GPU with few lanes', [2048, 2048, 2048], 'workgroup 64x64 4x4 /1'],
  ['GPU that takes few lanes', [2048, 2048, 2048], 'workgroup 128x128 8x8 /1'],
  ['GPU that takes few lanes', [2048, 1023, 2048], 'workgroup 64x64 4x4 /1'],
  ['GPU with unknown lanes', [2048, 2048, 2048], 'workgroup 64x64 4x4 /1'],
  ['GPU with few invocations', [2048, 2048, 2048], 'workgroup 64x64 8x8 /1'],
  ['GPU with few invocations', [512, 512, 64], 'workgroup 32x64 4x4 /1'],
  ['GPU in half precision', [2048, 2048, 2048], 'half 128x128 8x8 /1'],
  ['GPU with subgroup matrices', [32, 2048, 2048], 'matrix-f16-8x8x8 64x64 /8'],
  ['GPU with subgroup matrices of f32', [32, 2048, 2048], 'matrix-f32-8x8x8 64x64 /8'],
  ['CPU forced to another kernel', [32, 64, 1024], 'workgroup 32x64 4x4 /8'],
  ['GPU', [0, 8, 8], 'workgroup 32x32 4x4 /1'],
  ['GPU', [8, 8, 0], 'workgroup 32x32 4x4 /1'],
];

for (const [device, [m, n, k], choice] of CHOICES) {
  test(`${device}: [${m}, ${k}] times [${k}, ${n}] by ${choice}`, () => {
    const { family, tileRows, tileColumns, block, splitK } = chooseVariant(DEVICES[device]!, m, n, k);
    assert.is(`${family} ${tileRows}x${tileColumns}${block ? ` ${block}x${block}` : ''} /${splitK}`, choice);
  });
}

test('the variants to measure begin with the choice, differ, and fit the device and the sizes', () => {
  for (const traits of Object.values(DEVICES)) {
    const variants = listVariants(traits, 65, 128, 1024);
    assert.equal(variants[0], chooseVariant(traits, 65, 128, 1024));
    assert.is(new Set(variants.map((variant) => JSON.stringify(variant))).size, variants.length);
    assert.is(
      variants.some(({ family }) => family === 'subgroup'),
      traits.lanes >= 8 && !/half|matrix/.test(traits.family ?? ''),
    );
    assert.is(
      variants.some(({ tileRows }) => tileRows === 128),
      traits.maxInvocations >= 256 && !/matrix/.test(traits.family ?? ''),
    );
    assert.not(listVariants(traits, 64, 128, 1024).some(({ tileRows }) => tileRows === 128));
  }
});

test('subgroup matrices ask for lanes where they vary, and four such subgroups share a tile', () => {
  const varying: GemmTraits = { ...DEVICES['GPU with subgroup matrices']!, askedLanes: 32 };
  const variant = chooseVariant(varying, 64, 64, 64);
  assert.is(lanesFor(varying, variant), 32);
  assert.is(constantsOf(varying, variant).THREADS, 128);
  assert.is(lanesFor(DEVICES['GPU with subgroup matrices']!, variant), undefined);
  assert.is(lanesFor(varying, chooseVariant({ ...varying, family: undefined }, 64, 64, 64)), undefined);
});

test('where kernels can ask for lanes, those of 8 x 8 blocks ask for 8', () => {
  const varying = DEVICES['GPU that takes few lanes']!;
  assert.is(lanesFor(varying, chooseVariant(varying, 2048, 2048, 2048)), 8);
  assert.is(lanesFor(varying, chooseVariant(varying, 2048, 1023, 2048)), undefined);
  assert.is(lanesFor(DEVICES.GPU!, chooseVariant(DEVICES.GPU!, 2048, 2048, 2048)), undefined);
});

test.run();
