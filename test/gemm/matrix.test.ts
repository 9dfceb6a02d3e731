import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { backward, zeroGrad } from '../../src/autograd.ts';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { setFloat32MatmulPrecision, useSubgroupMatrices } from '../../src/gemm/precision.ts';
import { MATRIX_KERNEL, SUBGROUP_MATRICES } from '../../src/gemm/requestedKernels.ts';
import { gemmFamily } from '../../src/gemm/settings.ts';
import type { GpuError } from '../../src/gpu/errors.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { conv2d } from '../../src/ops/conv2d.ts';
import { matmul } from '../../src/ops/matmul.ts';
import type { Shape } from '../../src/shape.ts';
import { type Tensor, tensor } from '../../src/tensor.ts';
import { assertClose, seeded, uniform } from '../harness.ts';

// The GEMM kernel for subgroup matrices, on adapters that have none: loading a matrix notes its place, and loops multiply what is
// there. Subgroups have the size that a test wants. So the kernel's places, bounds and barriers are those of a GPU. The self-test
// checks each size, the ops their operands.

const FUNCTIONS = `
struct Fragment { panel: u32, at: u32 }
var<private> mine: vec2u; // this lane, and the number of lanes

// The number is not known before run time, so compilers do not unroll the loop.
fn count(n: u32) -> u32 { return select(n, 0u, params.m == 0xffffffffu); }

// Elements lane, lane + lanes, ... of a matrix are a lane's.
fn multiplyAdd(left: Fragment, right: Fragment, sum: Sum) -> Sum {
  var result = sum;
  for (var i = 0u; i < count(HEIGHT * WIDTH / mine.y); i++) {
    let row = (mine.x + i * mine.y) / WIDTH;
    let col = (mine.x + i * mine.y) % WIDTH;
    for (var k = 0u; k < count(K); k++) {
      let a = f32(tileA[left.panel][left.at + row * STRIDE + k]);
      result[i] += a * f32(tileB[right.panel][right.at + col * STRIDE + k]);
    }
  }
  return result;
}

fn store(matrix: ptr<workgroup, array<f32, HEIGHT * WIDTH>>, sum: Sum) {
  for (var i = 0u; i < count(HEIGHT * WIDTH / mine.y); i++) { matrix[mine.x + i * mine.y] = sum[i]; }
}`;

const EMULATION: [wgsl: RegExp, by: string][] = [
  [/enable (subgroups|chromium_\w+);/g, ''],
  [/@builtin\(subgroup_.*,/g, ''],
  [/subgroup_matrix_(left|right)<.*>/g, 'Fragment'],
  [/subgroup_matrix_result<f32, WIDTH, HEIGHT>/, 'array<f32, HEIGHT * WIDTH / 8u>'],
  [/subgroupMatrixLoad<Left, row_major>\(&tileA\[(.*)\], (.*), STRIDE\)/, 'Fragment($1, $2)'],
  [/subgroupMatrixLoad<Right, col_major>\(&tileB\[(.*)\], (.*), STRIDE\)/, 'Fragment($1, $2)'],
  [/subgroupMatrixMultiplyAccumulate/, 'multiplyAdd'],
  [/subgroupMatrixStore<row_major>\(matrix, 0, (.*), WIDTH\)/, 'store(matrix, $1)'],
  [/< (DOWN|ACROSS);/g, '< count($1);'],
  [
    /(?=let tile = wid)/,
    'let lanes = THREADS / 4u; let lane = thread % lanes; let subgroup = thread / lanes; mine = vec2u(lane, lanes);\n',
  ],
  [/$/, FUNCTIONS],
];

const emulated = (code: string): string =>
  code.includes('subgroup_matrix_left') ? EMULATION.reduce((all, [wgsl, by]) => all.replace(wgsl, by), code) : code;

/** Opens a device that seems to have the subgroup matrices of a family, and subgroups of a size. `change` changes its shaders. */
async function withMatrices(
  family: string,
  lanes: number,
  change: (code: string) => string = (code) => code,
): Promise<Gpu> {
  const gpu = await createGpu({ validate: true });
  const [, componentType, M, N, K] = /^matrix-(\w+)-(\d+)x(\d+)x(\d+)$/.exec(family)!;
  const config = { componentType, resultComponentType: 'f32', M: Number(M), N: Number(N), K: Number(K) };
  Object.assign(gpu.device, {
    features: new Set([...gpu.features, SUBGROUP_MATRICES]),
    lanes,
    askedLanes: undefined,
    rawInfo: { subgroupMatrixConfigs: [config] },
  });
  const device = gpu.native as GPUDevice;
  const compile = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => compile({ ...descriptor, code: emulated(change(descriptor.code)) });
  return gpu;
}

/** Multiples of 1/8 in [-1, 1], which every kernel multiplies exactly. */
const eighths = (shape: Shape, seed: number): Float32Array =>
  uniform(shape, seeded(seed), 8).map((value) => Math.round(value) / 8);

/** Returns the output of an op and the gradients of its inputs. */
async function outcome(gpu: Gpu, op: (x: Tensor[]) => Tensor, shapes: readonly Shape[]): Promise<Float32Array[]> {
  const leaves = shapes.map((shape, i) => tensor(gpu, eighths(shape, i), shape));
  for (const leaf of leaves) leaf.requiresGrad = true;
  const y = op(leaves);
  const dy = tensor(gpu, eighths(y.shape, 9), y.shape);
  backward(y, dy);
  const read = await Promise.all([y, ...leaves.map(({ grad }) => grad!)].map((one) => one.read()));
  zeroGrad(leaves);
  for (const one of [...leaves, y, dy]) one.dispose();
  return read;
}

const OPS: [op: (x: Tensor[]) => Tensor, shapes: readonly Shape[]][] = [
  [
    ([a, b]) => matmul(a!, b!),
    [
      [68, 72],
      [72, 132],
    ],
  ],
  // The last tile of the gradient of x skips the taps of the kernel's first row.
  [([x, weight, bias]) => conv2d(x!, weight!, bias!, { padding: [0, 1] }), [[2, 3, 9, 9], [5, 3, 3, 3], [5]]],
];

// If there are few lanes, each loads several blocks of a tile. If there are 64, half of them load A and the others B.
for (const [family, lanes] of [
  ['matrix-f16-16x16x16', 64],
  ['matrix-f16-8x16x16', 16],
  ['matrix-f16-8x8x8', 8],
] as const) {
  test(`${family} with ${lanes} lanes passes the self-test`, async () => {
    const gpu = await withMatrices(family, lanes);
    if (gpu.features.has('shader-f16')) assert.is(await setFloat32MatmulPrecision(gpu, 'medium'), family);
    gpu.dispose();
  });
}

test('subgroup matrices of f32 compute all ops in single precision', async () => {
  const gpu = await withMatrices(MATRIX_KERNEL.family, 32);
  const all = async () => {
    const results: Float32Array[] = [];
    for (const [op, shapes] of OPS) results.push(...(await outcome(gpu, op, shapes)));
    return results;
  };
  const expected = await all();
  assert.is(await useSubgroupMatrices(gpu), MATRIX_KERNEL.family);
  assert.is(gemmFamily(gpu), MATRIX_KERNEL.family);
  for (const [i, found] of (await all()).entries()) assertClose(`result ${i}`, found, expected[i]!, {});
  gpu.dispose();
});

const refusal = (gpu: Gpu): Promise<GpuError> =>
  useSubgroupMatrices(gpu).then(
    () => assert.unreachable('accepted'),
    (error) => error,
  );

test('a device whose subgroup matrices of f32 have fewer bits is refused, and keeps its kernels', async () => {
  const gpu = await withMatrices(MATRIX_KERNEL.family, 32, (code) =>
    code.replace('= Element(a[j][i]);', '= floor(4096.0 * a[j][i]) / 4096.0;'),
  );
  const before = gemmFamily(gpu);
  const { code, message } = await refusal(gpu);
  assert.is(code, 'KERNEL');
  assert.match(
    message,
    /^useSubgroupMatrices: this device multiplies incorrectly .* with fractions .*; leave out the call$/,
  );
  assert.is(gemmFamily(gpu), before);
  gpu.dispose();
});

test('a device without subgroup matrices of f32 is refused', async () => {
  const bare = await createGpu();
  assert.match((await refusal(bare)).message, /this Gpu has no subgroup matrices; open it with createGpu/);
  bare.dispose();
  const other = await withMatrices('matrix-f16-8x8x8', 32);
  const { code, message } = await refusal(other);
  assert.is(code, 'LIMIT');
  assert.match(message, /subgroup matrices are not f32 of 8 x 8/);
  other.dispose();
});

test.run();
