import type { Tensor } from '../tensor.ts';
import { ReLU } from './activation.ts';
import { Module } from './module.ts';
import { MaxPool2d } from './pool.ts';
import { RectifyingModule } from './rectifying.ts';

/**
 * Modules one after the other, named 0, 1, 2, ... (`torch.nn.Sequential`). A rectifier right after a layer that can
 * rectify by itself costs nothing: the layer's kernel does it. Before a max-pool it is the pool that rectifies: the largest
 * is rectified to the same, and its gradient goes the same way, but there are fewer of them.
 */
export class Sequential extends Module {
  readonly layers: readonly Module[];

  constructor(...layers: readonly Module[]) {
    super();
    this.layers = layers;
  }

  override *namedChildren(): Generator<[name: string, child: Module]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer];
  }

  forward(x: Tensor): Tensor {
    const { layers } = this;
    const isRelu = (i: number) => layers[i] instanceof ReLU;
    const ownsRelu = (i: number) => layers[i] instanceof MaxPool2d && isRelu(i - 1);
    let y = x;
    for (let i = 0; i < layers.length; i++) {
      if (isRelu(i) && ownsRelu(i + 1)) continue;
      const layer = layers[i]!;
      const follows = layer instanceof RectifyingModule && isRelu(i + 1) && !ownsRelu(i + 2);
      y = ownsRelu(i) || follows ? (layer as RectifyingModule).forward(y, { relu: true }) : layer.forward(y);
      if (follows) i++;
    }
    return y;
  }
}
