import source from '../../shaders/layerNorm.wgsl';
import rowsSource from '../../shaders/rows.wgsl';
import { record } from '../autograd.ts';
import { atLeast, checkOptions, type OptionChecks } from '../checks/options.ts';
import { defineKernel } from '../gpu/kernel.ts';
import { sameShape, showShape } from '../shape.ts';
import { empty, type Tensor } from '../tensor.ts';
import { aTensor, expectDtype, expectShape } from './shared/expect.ts';
import { splitRows } from './shared/split.ts';
import { scaledSum } from './sum.ts';

const kernel = /* @__PURE__ */ defineKernel('layerNorm', [rowsSource, source], ['forward', 'backward', 'dweight']);

export interface LayerNormOpOptions {
  /** Scale of each element. f32; its shape is that of the last dimensions of x, over which it normalises. */
  weight: Tensor;
  /** Shift of each element: f32 of weight's shape. */
  bias: Tensor;
  /** Added to the variance, >= 0. Default: 1e-5. */
  eps?: number;
}

const checks: OptionChecks<LayerNormOpOptions> = { weight: aTensor, bias: aTensor, eps: /* @__PURE__ */ atLeast(0) };

/**
 * Normalises each example over its last dimensions to (x - mean) / sqrt(variance + eps) * weight + bias
 * (`torch.nn.functional.layer_norm`; Ba et al. 2016). x, y: f32 [..., ...shape of weight].
 *
 * @throws TypeError if the last dimensions of x differ from the shape of weight
 */
export function layerNorm(x: Tensor, options: LayerNormOpOptions): Tensor {
  expectDtype('layerNorm', 'x', x, 'f32');
  checkOptions('layerNorm', options, checks, ['weight', 'bias']);
  const { weight, bias, eps = 1e-5 } = options;
  const { gpu, shape } = x;
  const { shape: own, size: cols } = weight;
  if (cols === 0 || own.length === 0 || !sameShape(shape.slice(-own.length), own)) {
    throw new TypeError(
      `layerNorm: weight is ${showShape(own)} but x is ${showShape(shape)}; x must end with the sizes of weight`,
    );
  }
  expectShape('layerNorm', 'weight', weight, own);
  expectShape('layerNorm', 'bias', bias, own);
  const rows = x.size / cols;
  const { constants, rowsAtOnce } = splitRows(gpu, cols);
  const params = { rows, cols, eps };
  const groups = Math.ceil(rows / rowsAtOnce);
  const y = empty(gpu, shape, 'f32', 'layerNorm');
  const stats = empty(gpu, [rows, 2], 'f32', 'layerNorm statistics');
  kernel.forward({ x, weight, bias, y, stats }, params, groups, { constants });
  return record('layerNorm', [x, weight, bias], y, [x, weight, stats], (dy, gradient) => {
    const overRows = { outer: 1, n: rows, inner: cols, rest: own };
    let dx: Tensor | null = null;
    if (gradient.needs(0)) {
      dx = gradient.into(0);
      kernel.backward({ x, weight, statsIn: stats, dy, dx }, params, groups, { constants });
    }
    let dweight: Tensor | null = null;
    if (gradient.needs(1)) {
      const part = empty(gpu, shape, 'f32', 'layerNorm dweight');
      kernel.dweight({ x, statsIn: stats, dy, part }, params, Math.ceil(x.size / 64));
      dweight = scaledSum('layerNorm', part, overRows, 1);
    }
    return [dx, dweight, gradient.needs(2) ? scaledSum('layerNorm', dy, overRows, 1) : null];
  });
}
