import { checkOptions, flag, type OptionChecks, show } from '../checks/options.ts';
import type { Tensor } from '../tensor.ts';
import { ReLU, Sigmoid } from './activation.ts';
import type { Conv2d } from './conv2d.ts';
import { Module } from './module.ts';
import { RectifyingModule } from './rectifying.ts';

export interface SequentialForwardOptions {
  /** Whether to apply a Sigmoid that is the last layer, also of a last layer that is a Sequential itself. Default: true. */
  sigmoid?: boolean;
}

const checks: OptionChecks<SequentialForwardOptions> = { sigmoid: flag };

/**
 * Calls modules one after the other (`torch.nn.Sequential`). They are named 0, 1, 2, ... A ReLU next to a layer that can apply it
 * is fused into that layer's kernel. Before a max pool it is fused into the pool: the result and the gradient are the same, and
 * the pool has fewer outputs. A max pool of 2x2 is fused into a convolution before it. A module whose class overrides `forward` is never fused.
 */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  /** @throws TypeError if some argument is not a Module, such as an array of them */
  constructor(...layers: readonly Module[]) {
    super();
    for (const [i, layer] of layers.entries()) {
      if (layer instanceof Module) continue;
      const advice = Array.isArray(layer)
        ? 'pass its modules as arguments: new Sequential(...layers)'
        : 'pass modules, such as new ReLU() for relu';
      throw new TypeError(`Sequential: layer ${i} must be a Module but is ${show(layer)}; ${advice}`);
    }
    this.layers = layers;
  }

  override *namedChildren(): Generator<[name: string, child: Module<unknown>]> {
    for (const [name, child] of super.namedChildren()) yield [name.replace(/^layers\./, ''), child];
  }

  /**
   * @internal
   * Whether `forward(x, { sigmoid: false })` gives logits, for a loss that applies the sigmoid itself. A subclass that overrides
   * `forward` is called without options.
   */
  get endsInSigmoid(): boolean {
    const last = this.layers.at(-1);
    if (this.unwatchedForward !== Sequential.prototype.forward) return false;
    return last instanceof Sequential ? last.endsInSigmoid : isSigmoid(last);
  }

  forward(x: Tensor, options?: SequentialForwardOptions): Tensor {
    checkOptions('Sequential.forward', options, checks);
    const { layers } = this;
    const ending = options?.sigmoid === false && this.endsInSigmoid ? layers.at(-1) : undefined;
    const rectifying = new Set(layers.flatMap((layer, i) => (isReLU(layer) ? [rectifierOf(layers, i)] : [])));
    let y = x;
    // The index of a max pool that the layer before it has applied.
    let pooled = -1;
    for (const [i, layer] of layers.entries()) {
      if (i === pooled) continue;
      const pool = rectifying.has(i) ? -1 : poolAfter(layers, i);
      if (pool > 0) {
        pooled = pool;
        y = (layer as Conv2d).forward(y, { maxPool: true, relu: rectifying.has(pool) });
      } else if (layer === ending && i === layers.length - 1)
        y = layer instanceof Sequential ? layer.forward(y, options) : y;
      else if (isReLU(layer)) y = rectifying.has(i) ? layer.forward(y) : y;
      else if (rectifying.has(i)) y = (layer as RectifyingModule).forward(y, { relu: true });
      else y = layer.forward(y);
    }
    return y;
  }
}

const isSigmoid = (layer: Module | undefined): boolean =>
  layer instanceof Sigmoid && layer.unwatchedForward === Sigmoid.prototype.forward;

const isReLU = (layer: Module): boolean => layer instanceof ReLU && layer.unwatchedForward === ReLU.prototype.forward;

/** Returns whether the layer's `forward` is that of the class which, by defining `promise`, promises something of it. */
function keeps(promise: 'rectifiesBefore' | 'pools' | 'halves', layer: Module | undefined): layer is RectifyingModule {
  if (!(layer instanceof RectifyingModule)) return false;
  let object: RectifyingModule | null = layer;
  while (object && !Object.hasOwn(object, promise)) object = Object.getPrototypeOf(object);
  return object?.forward === layer.unwatchedForward;
}

const canRectify = (layer: Module | undefined): layer is RectifyingModule => keeps('rectifiesBefore', layer);

/** Returns the index of the layer that computes the ReLU at index `i`. */
function rectifierOf(layers: readonly Module[], i: number): number {
  const [before, after] = [layers[i - 1], layers[i + 1]];
  if (canRectify(after) && after.rectifiesBefore) return i + 1;
  return canRectify(before) ? i - 1 : i;
}

/** Returns the index of the max pool that the layer at index `i` can apply to its output, or -1. */
function poolAfter(layers: readonly Module[], i: number): number {
  const [layer, after] = [layers[i], layers[i + 1]];
  const at = after && isReLU(after) && rectifierOf(layers, i + 1) === i + 2 ? i + 2 : i + 1;
  const pool = layers[at];
  return keeps('pools', layer) && layer.pools && keeps('halves', pool) && pool.halves ? at : -1;
}
