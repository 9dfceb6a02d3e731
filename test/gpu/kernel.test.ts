import * as assert from 'uvu/assert';
import type { GpuError } from '../../src/gpu/errors.ts';
import type { Binding } from '../../src/gpu/kernel.ts';
import { defineKernel } from '../../src/gpu/kernel.ts';
import { empty, tensor } from '../../src/tensor.ts';
import { gpuTest, run } from '../harness.ts';

const DECLARATIONS = `
  struct Params { size: u32, shift: i32, factor: f32 }
  @group(0) @binding(0) var<uniform> params: Params;
  @group(0) @binding(1) var<storage, read> x: array<f32>;
  @group(0) @binding(2) var<storage, read_write> y: array<f32>;`;
const MAIN = '@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u)';

const scaled = defineKernel(
  'scaled',
  [
    `${DECLARATIONS} override OFFSET: f32 = 0;`,
    `${MAIN} { if (id.x < params.size) { y[id.x] = transform(x[id.x]) + f32(params.shift) + OFFSET; } }`,
    'fn transform(v: f32) -> f32 { return v * params.factor; }',
  ],
  ['main'],
);

gpuTest('sources are joined, params are laid out by type, constants override', async (gpu) => {
  const x = tensor(gpu, [1, 2]);
  const y = empty(gpu, [2]);
  scaled.main({ x, y }, { size: 2, factor: 0.5, shift: -3 }, 1);
  assert.equal([...(await y.read())], [-2.5, -2]);
  scaled.main({ x, y }, { size: 2, factor: 0.5, shift: -3 }, 1, { constants: { OFFSET: 100 } });
  assert.equal([...(await y.read())], [97.5, 98]);
  x.dispose();
  y.dispose();
});

gpuTest('a kernel may ask for the lanes of a subgroup', async (gpu) => {
  const counted = defineKernel(
    'counted',
    `enable subgroups;
    @group(0) @binding(0) var<storage, read_write> y: array<u32>;
    @compute @workgroup_size(64) fn other() { y[0] = 1u; }
    @compute @workgroup_size(64) fn  main(@builtin(subgroup_size) lanes: u32) { y[0] = lanes; }`,
    ['other', 'main'],
  );
  const y = empty(gpu, [1], 'u32');
  const ask = (lanes: number) => {
    counted.main({ y }, {}, 1, { lanes });
    return y.readU32();
  };
  const lanes = gpu.subgroupSize;
  if (lanes > 0 && gpu.features.has('subgroup-size-control')) assert.equal([...(await ask(lanes))], [lanes]);
  const refusal = await ask(2 * lanes || 8).catch(String);
  assert.match(String(refusal), /counted.main: the kernel does not compile\n/);
  y.dispose();
});

gpuTest('calls that do not match the WGSL are refused, with the name of the mismatch', (gpu) => {
  const x = tensor(gpu, [1]);
  const y = empty(gpu, [1]);
  const params = { size: 1, factor: 1, shift: 0 };
  const refused = (call: () => void, pattern: RegExp) =>
    assert.throws(call, (e: GpuError) => e.code === 'KERNEL' && pattern.test(e.message));
  refused(
    () => scaled.main({ x, z: y }, params, 1),
    /scaled.main: the kernel has no binding 'z'; it declares \{params,x,y\}/,
  );
  refused(
    () => scaled.main({ x, y }, { size: 1 }, 1),
    /params are \{size\}, but the kernel declares \{size,shift,factor\}/,
  );
  refused(
    () => scaled.main({ x, y }, { size: 0.5, factor: 1, shift: 0 }, 1),
    /size is 0.5, but the kernel declares it u32/,
  );
  for (const size of [-1, 2 ** 32, Number.NaN])
    refused(() => scaled.main({ x, y }, { ...params, size }, 1), new RegExp(`size is ${size}, but .* declares it u32`));
  for (const shift of [-(2 ** 31) - 1, 2 ** 31, 0.5])
    refused(
      () => scaled.main({ x, y }, { ...params, shift }, 1),
      new RegExp(`shift is ${shift}, but .* declares it i32`),
    );
  for (const grid of [-1, 1.5, Number.NaN, [1, 0.5], [1, 1, -1], undefined, '1'])
    assert.throws(
      () => scaled.main({ x, y }, params, grid as number),
      /scaled.main: grid must be a whole number of workgroups, or three, but is/,
    );
  for (const wrong of [undefined, null, [1], new Float32Array(1)])
    assert.throws(() => scaled.main({ x, y: wrong } as never, params, 1), /scaled.main: y must be a tensor but is/);
  refused(() => scaled.main({}, params, 1), /no tensor was bound/);
  assert.throws(
    () => scaled.main({ x, y }, params, [1, 70000]),
    (e: GpuError) => e.code === 'LIMIT',
  );
  x.dispose();
  y.dispose();
});

const numbered = defineKernel(
  'numbered',
  `struct Params { size: u32 }
  @group(0) @binding(0) var<uniform> params: Params;
  @group(0) @binding(1) var<storage, read_write> y: array<u32>;
  @compute @workgroup_size(1) fn main(@builtin(workgroup_id) wid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = wid.y * groups.x + wid.x;
    if (i < params.size) { y[i] = i + 1u; }
  }`,
  ['main'],
);

gpuTest('workgroups beyond the limit of one dimension use two, and all of them run', async (gpu) => {
  const limit = gpu.limits.maxComputeWorkgroupsPerDimension!;
  for (const size of [limit, limit + 1, 2 * limit + 1]) {
    const y = empty(gpu, [size], 'u32');
    numbered.main({ y }, { size }, size);
    const numbers = await y.readU32();
    assert.ok(
      numbers.every((number, i) => number === i + 1),
      `${size} workgroups`,
    );
    y.dispose();
  }
});

gpuTest('vectors of integers need a u32 tensor, vectors of floats an f32 tensor', async (gpu) => {
  const vectors = defineKernel(
    'vectors',
    `@group(0) @binding(0) var<storage, read> words: array<vec4u>;
    @group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
    @compute @workgroup_size(1) fn main() { y[0] = vec4f(words[0]); }`,
    ['main'],
  );
  const [words, y] = [tensor(gpu, Uint32Array.of(1, 2, 3, 4)), empty(gpu, [4])];
  vectors.main({ words, y }, {}, 1);
  assert.equal([...(await y.read())], [1, 2, 3, 4]);
  assert.throws(() => vectors.main({ words: y, y }, {}, 1), /vectors.main: words must be u32 but tensor is f32/);
  assert.throws(() => vectors.main({ words, y: words }, {}, 1), /vectors.main: y must be f32 but tensor is u32/);
  for (const t of [words, y]) t.dispose();
});

gpuTest('a compile error is thrown at the next read, with its line', async (gpu) => {
  const broken = defineKernel('broken', `${DECLARATIONS}\n${MAIN} {\n  y[id.x] = wrong(x[id.x]);\n}`, ['main']);
  const x = tensor(gpu, [1]);
  const y = empty(gpu, [1]);
  broken.main({ x, y }, { size: 1, factor: 1, shift: 0 }, 1);
  const error: GpuError = await y.read().then(
    () => assert.unreachable(),
    (e) => e,
  );
  assert.match(
    error.message,
    /broken.main: the kernel does not compile\n {2}line \d+: .*wrong.*\n {4}y\[id.x\] = wrong\(x\[id.x\]\);/s,
  );
  assert.equal([...(await x.read())], [1], 'the engine works on');
  x.dispose();
  y.dispose();
});

const both = defineKernel(
  'both',
  `@group(0) @binding(0) var<storage, read_write> a: array<f32>;
  @group(0) @binding(1) var<storage, read_write> b: array<f32>;
  @compute @workgroup_size(1) fn main() { a[0] = 1.0; b[0] = 2.0; }`,
  ['main'],
);

gpuTest('a dispatch that binds the same memory twice, once of them to write, fails at the next read', async (gpu) => {
  const x = tensor(gpu, [1]);
  const wide = tensor(gpu, new Float32Array(128));
  const part = (byteOffset: number, byteLength: number): Binding => ({
    ...{ gpu, storage: wide.storage, byteOffset, byteLength },
    ...{ label: 'part', dtype: 'f32' },
  });
  const read = (dispatch: () => void) => {
    dispatch();
    return wide.read().then(
      (numbers) => numbers,
      (e: GpuError) => e.code,
    );
  };
  assert.is(await read(() => scaled.main({ x, y: x }, { size: 1, factor: 1, shift: 0 }, 1)), 'GPU_VALIDATION');
  assert.is(await read(() => both.main({ a: wide, b: wide }, {}, 1)), 'GPU_VALIDATION');
  assert.is(await read(() => both.main({ a: part(0, 512), b: part(256, 256) }, {}, 1)), 'GPU_VALIDATION');
  const apart = await read(() => both.main({ a: part(0, 256), b: part(256, 256) }, {}, 1));
  assert.equal([apart[0], apart[64]], [1, 2], 'ranges of one buffer that lie apart may both be written');
  x.dispose();
  wide.dispose();
});

run();
