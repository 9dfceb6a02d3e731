import { checkValue, text } from '../checks/options.ts';
import { checkGpu, type Gpu } from '../gpu/gpu.ts';
import { checkShape, type Shape, showShape, sizeOf } from '../shape.ts';
import { Tensor } from '../tensor.ts';
import { keep } from '../tidy.ts';
import { Construction } from './construction.ts';

/**
 * A tensor that training changes (`torch.nn.Parameter`): f32, requires a gradient, and survives every `tidy`. Its module disposes it.
 */
export class Parameter extends Tensor {
  /** @internal Whether a module has listed it. */
  listed = false;

  constructor(gpu: Gpu, data: Float32Array, shape: Shape, label = 'parameter') {
    checkGpu('Parameter', gpu);
    checkValue('Parameter', 'data', data, aFloat32Array);
    checkValue('Parameter', 'label', label, text);
    checkShape('Parameter', shape);
    if (data.length !== sizeOf(shape)) {
      throw new TypeError(
        `Parameter: ${label}${showShape(shape)} needs ${sizeOf(shape)} elements but data has ${data.length}; pass one number per element`,
      );
    }
    super(gpu, gpu.pool.upload(data, `${label}${showShape(shape)}`), { shape, dtype: 'f32', label });
    this.requiresGrad = true;
    keep(this);
    Construction.notes(this);
  }
}

const aFloat32Array = { wanted: 'a Float32Array', holds: (data: unknown) => data instanceof Float32Array };
