// Clips gradients in two dispatches: the first leaves partial sums of squares, the second adds them up in every workgroup and
// scales. The norm is never read back to the host.
import source from '../../shaders/clipGradNorm.wgsl';
import { defineKernel } from '../gpu/kernel.ts';
import { constant, empty, type Tensor } from '../tensor.ts';
import { tidy } from '../tidy.ts';
import { BLOCK, FlatParameters } from './flatParameters.ts';
import { parametersOf } from './optimizer.ts';

const kernel = /* @__PURE__ */ defineKernel('clipGradNorm', source, ['squares', 'scale']);

// Every workgroup reads all partial sums again, which takes hardly any time if there are no more than this.
const MAX_PARTIALS = 64;

/**
 * Scales the gradients of `parameters` by maxNorm / norm if their norm, taken over all of them together, is above `maxNorm`
 * (`torch.nn.utils.clip_grad_norm_`). Returns the norm before: f32 []. Call it between `backward` and the optimiser's `step()`.
 *
 * Parameters without gradient do not count. If the norm is NaN, all gradients become NaN. It takes two dispatches for all
 * parameters of an optimiser, and two for each other parameter.
 *
 * @throws Error if no parameter of an optimiser has a gradient
 * @throws RangeError unless maxNorm >= 0
 */
export function clipGradNorm(parameters: Iterable<Tensor>, maxNorm: number): Tensor {
  const list = [...new Set(parametersOf('clipGradNorm', parameters))];
  if (list.length === 0) throw new TypeError('clipGradNorm: got no parameters; pass module.parameters()');
  if (!(maxNorm >= 0)) throw new RangeError(`clipGradNorm: maxNorm must be a number >= 0 but is ${maxNorm}`);
  const { gpu } = list[0]!;
  const gradients = partsOf(list);
  if (gradients.length === 0) return constant(gpu, Float32Array.of(0), 'norm', []);
  return tidy(() => {
    const norm = empty(gpu, [], 'f32', 'norm');
    const none = empty(gpu, [1], 'u32');
    let partials = 0;
    const parts = gradients.map(({ gradient, used }) => {
      const blocks = Math.ceil(gradient.size / BLOCK);
      const groups = Math.min(MAX_PARTIALS, Math.ceil(blocks / 4));
      const part = { gradient, used: used ?? none, blocks, size: used ? 0 : gradient.size, groups, first: partials };
      partials += groups;
      return part;
    });
    const partial = empty(gpu, [partials], 'f32', 'squares');
    // WGSL has no infinity.
    const shared = { partials, maxNorm: Math.min(maxNorm, 3e38) };
    for (const { gradient, used, groups, ...own } of parts)
      kernel.squares({ gradient, used, partial }, { ...own, ...shared }, [groups]);
    for (const { gradient, used, groups, ...own } of parts)
      kernel.scale({ gradient, used, partialIn: partial, norm }, { ...own, ...shared }, [groups]);
    return norm;
  });
}

/** Returns the gradients: single ones, and flat buffers with the number of elements of each block that count. */
function partsOf(parameters: readonly Tensor[]): { gradient: Tensor; used?: Tensor }[] {
  const flats = new Map<FlatParameters, Set<Tensor>>();
  const parts: { gradient: Tensor; used?: Tensor }[] = [];
  for (const parameter of parameters) {
    const flat = FlatParameters.of(parameter);
    if (flat) flats.set(flat, (flats.get(flat) ?? new Set()).add(parameter));
    else if (parameter.grad && parameter.size > 0) parts.push({ gradient: parameter.grad });
  }
  for (const [flat, own] of flats) parts.push({ gradient: flat.gradients, used: flat.usedOfBlock(own) });
  return parts;
}
