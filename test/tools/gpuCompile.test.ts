import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compareKernels, figuresOf, readBounds, showBounds } from '../../tools/gpu-compile/bounds.mjs';

const hot = { fma: 256, vector: 12, around: [{ vector: 100, memory: 10 }, { vector: 3 }] };
const row = {
  vgprs: 144,
  spilledVgprs: 0,
  spilledSgprs: 0,
  lds: 8192,
  occupancy: 8,
  instructions: 1000,
  hot,
  roundFma: 1024,
};
const kernels = (changed: object) => new Map([['gemm', figuresOf({ ...row, ...changed })]]);
const bounds = kernels({});
const compare = (changed: object) => compareKernels(bounds, kernels(changed));

test('the bounds are read as they were written', () => {
  const families = new Map([
    [
      'navi31',
      { driver: 'radv: Mesa 25', kernels: new Map([...bounds, ['copy', figuresOf({ ...row, hot: undefined })]]) },
    ],
    ['dg2', { driver: 'Intel', kernels: kernels({ occupancy: undefined }) }],
  ]);
  const order = (map: typeof families) =>
    [...map].map(([name, { driver, kernels }]) => [name, driver, [...kernels].sort()]);
  assert.equal(order(readBounds(showBounds(families))), order(families));
  assert.equal(figuresOf(row), [144, 0, 8192, 8, 1000, 95.5, 0, 87.1, 103, 10]);
});

test('figures as in the table, and a few instructions more, are not worse', () => {
  assert.equal(compare({}), { worse: [], better: [] });
  assert.equal(compare({ instructions: 1019 }), { worse: [], better: [] });
});

for (const [changed, ...lines] of [
  [{ vgprs: 145 }, 'registers 144 -> 145'],
  [{ spilledVgprs: 1 }, 'spilled 0 -> 1'],
  [{ spilledSgprs: 2 }, 'spilled 0 -> 2'],
  [{ lds: 8193 }, 'LDS 8192 -> 8193'],
  [{ occupancy: 7 }, 'subgroups/SIMD 8 -> 7'],
  [{ instructions: 1021 }, 'instructions 1000 -> 1021'],
  [{ hot: { ...hot, vector: 14 } }, 'hot loop: fma % 95.5 -> 94.8', 'round: fma % 87.1 -> 86.6'],
  [{ hot: { ...hot, around: [{ vector: 106, memory: 10 }] } }, 'around: vector 103 -> 106'],
  [{ roundFma: 512 }, 'round: fma % 87.1 -> 80.1'],
] as const) {
  test(`it is worse if ${lines[0]}`, () => {
    assert.equal(compare(changed), { worse: lines.map((line) => `gemm: ${line}`), better: [] });
  });
}

test('spills in the hot loop are worse, and better figures are reported', () => {
  assert.equal(compare({ hot: { ...hot, memory: 1 } }).worse.length, 1);
  assert.equal(compare({ vgprs: 100 }), { worse: [], better: ['gemm: registers 144 -> 100'] });
});

test('a kernel that the table or the results lack fails', () => {
  assert.equal(compareKernels(bounds, new Map()).worse, ['gemm is in the table but was not compiled']);
  assert.equal(compareKernels(new Map(), bounds).worse, ['gemm is not in the table']);
});

test.run();
