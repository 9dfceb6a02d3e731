import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createGpu } from '../../src/gemm/createGpu.ts';
import { setFloat32MatmulPrecision } from '../../src/gemm/precision.ts';
import type { Gpu } from '../../src/gpu/gpu.ts';
import { matmul } from '../../src/ops/matmul.ts';
import { tensor } from '../../src/tensor.ts';

// Devices that multiply incorrectly in half precision: real ones, whose compiler gets changed WGSL.

/** Opens a device whose shaders are changed before they are compiled, with subgroups for which both kernels are used. */
async function changed(change: (code: string) => string): Promise<Gpu> {
  const other = await createGpu();
  Object.defineProperty(other.device, 'subgroupMinSize', { value: 32 });
  const device = other.native as GPUDevice;
  const compile = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) => compile({ ...descriptor, code: change(descriptor.code) });
  return other;
}

for (const [what, from, to, problem] of [
  [
    'loses a row',
    '= vec4<Element>(a[i]);',
    '= vec4<Element>(a[0]);',
    /half: the test with integers gives -?\d+ but expects/,
  ],
  [
    'hides what is too large',
    '= vec4<Element>(a[i]);',
    '= vec4<Element>(min(a[i], vec4f(65504)));',
    /half: the test with extremes gives /,
  ],
  [
    'has fewer bits',
    'let a = vec4f(tileA',
    'let a = floor(64.0 * vec4f(tileA[panelA][i][four][atA])) / 64.0; // ',
    /half: the test with fractions gives /,
  ],
  [
    'has fewer bits in large tiles',
    'vec4f(tileA[panelA][0][row][atA ^ four])',
    'floor(64.0 * vec4f(tileA[panelA][0][row][atA ^ four])) / 64.0',
    /half: the test with fractions in large tiles gives /,
  ],
  ['does not compile', 'alias Element = f16;', 'alias Element = nothing;', /half: .*the kernel does not compile/],
] as const) {
  test(`a device that ${what} in half precision is refused, and keeps single precision`, async () => {
    const other = await changed((code) => (code.includes('alias Element = f16') ? code.replace(from, to) : code));
    try {
      if (!other.features.has('shader-f16')) return;
      const error: Error & { code?: string } = await setFloat32MatmulPrecision(other, 'medium').then(
        () => assert.unreachable('accepted'),
        (reason) => reason,
      );
      assert.is(error.code, 'KERNEL');
      assert.match(
        error.message,
        /^setFloat32MatmulPrecision: this device multiplies incorrectly in half precision \(/,
      );
      assert.match(error.message, problem);
      assert.match(error.message, /use 'highest'$/);
      const x = tensor(other, [[1e5]]);
      const y = matmul(x, x);
      assert.is((await y.read())[0], Math.fround(1e10));
      for (const one of [x, y]) one.dispose();
      await other.idle();
      assert.is(other.memory().buffers, 0);
    } finally {
      other.dispose();
    }
  });
}

test.run();
