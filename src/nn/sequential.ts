import type { Tensor } from '../tensor.ts';
import { ReLU } from './activation.ts';
import { Module } from './module.ts';
import { RectifyingModule } from './rectifying.ts';

/**
 * Modules one after the other, named 0, 1, 2, ... (`torch.nn.Sequential`). A rectifier right after a layer that can
 * rectify by itself costs nothing: the layer's kernel does it. Before a max-pool it is the pool that rectifies: the largest
 * is rectified to the same, and its gradient goes the same way, but there are fewer of them.
 */
export class Sequential extends Module {
  readonly layers: readonly Module[];
  /** Places of the layers that rectify what they give. */
  private readonly rectifying: ReadonlySet<number>;

  constructor(...layers: readonly Module[]) {
    super();
    this.layers = layers;
    this.rectifying = new Set(layers.flatMap((layer, i) => (layer instanceof ReLU ? [rectifierOf(layers, i)] : [])));
  }

  override *namedChildren(): Generator<[name: string, child: Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const [i, layer] of this.layers.entries()) {
      const relu = this.rectifying.has(i);
      if (layer instanceof RectifyingModule) y = layer.forward(y, { relu });
      else if (relu || !(layer instanceof ReLU)) y = layer.forward(y);
    }
    return y;
  }
}

/** The place of the layer that does the work of the rectifier at place `i`. */
function rectifierOf(layers: readonly Module[], i: number): number {
  const [before, after] = [layers[i - 1], layers[i + 1]];
  if (after instanceof RectifyingModule && after.rectifiesBefore) return i + 1;
  return before instanceof RectifyingModule ? i - 1 : i;
}
