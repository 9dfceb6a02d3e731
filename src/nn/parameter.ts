import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { checkShape, type Shape, showShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';

/** A tensor that training changes (`torch.nn.Parameter`): it wants gradients and outlives every `tidy`; its module disposes it. */
export class Parameter extends Tensor {
  constructor(gpu: Gpu, data: Float32Array, shape: Shape, label = 'parameter') {
    checkShape('Parameter', shape);
    if (data.length !== sizeOf(shape)) {
      throw new TypeError(
        `Parameter: ${label}${showShape(shape)} wants ${sizeOf(shape)} elements but data has ${data.length}; make them equal`,
      );
    }
    checkGpu(label, gpu);
    super(gpu.pool.upload(data, `${label}${showShape(shape)}`), shape, 'f32', label);
    this.requiresGrad = true;
    keep(this);
  }
}
