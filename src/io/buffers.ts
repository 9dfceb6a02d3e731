// Tensors meet the caller's own WebGPU code here: a tensor on the caller's buffer, and the buffer under a tensor.
import { checkValue, show, text } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import type { Native } from '../gpu/native.ts';
import { Storage } from '../gpu/storage.ts';
import { expectTensor } from '../ops/shared/expect.ts';
import { checkShape, type Shape, showShape, sizeOf } from '../shape.ts';
import { type Dtype, dtypes, Tensor } from '../tensor.ts';

/**
 * Makes a tensor on the caller's buffer, without a copy. The buffer needs usage `STORAGE`, and `COPY_SRC` for `read()`. It
 * stays the caller's: `dispose()` does not destroy it. Default element type: `f32`.
 *
 * Throws `TypeError` if the buffer is smaller than the shape, rounded up to 16 bytes: kernels read four numbers at once.
 */
export function fromBuffer(
  gpu: Gpu,
  buffer: Native<'GPUBuffer'>,
  shape: Shape,
  dtype: Dtype = 'f32',
  label = 'fromBuffer',
): Tensor {
  checkGpu('fromBuffer', gpu);
  checkShape('fromBuffer', shape);
  checkValue('fromBuffer', 'dtype', dtype, dtypes);
  checkValue('fromBuffer', 'label', label, text);
  const native = buffer as GPUBuffer;
  // Where drivers do not check bounds, Dawn and browsers read the last whole vec4 instead of one that the buffer cuts off.
  const bytes = 16 * Math.ceil(sizeOf(shape) / 4);
  if (!(native?.size >= bytes)) {
    const came = native?.size === undefined ? `buffer is ${show(buffer)}` : `the buffer has ${native.size}`;
    throw new TypeError(`fromBuffer: shape ${showShape(shape)} needs ${bytes} bytes, a multiple of 16, but ${came}`);
  }
  return new Tensor(gpu, new Storage(gpu.pool, native, native.size, true), { shape, dtype, label });
}

/**
 * Returns the buffer under a tensor and the bytes that the tensor occupies in it. Submits the recorded work first, so you can
 * use the buffer on the same queue at once.
 */
export function native(x: Tensor): { buffer: Native<'GPUBuffer'>; byteOffset: number; byteLength: number } {
  expectTensor('native', 'x', x);
  x.gpu.queue.submit();
  return { buffer: x.storage.buffer, byteOffset: x.byteOffset, byteLength: x.byteLength };
}
