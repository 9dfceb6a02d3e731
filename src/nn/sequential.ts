import type { Tensor } from '../tensor.ts';
import { ReLU } from './activation.ts';
import { Module } from './module.ts';
import { RectifyingModule } from './rectifying.ts';

/**
 * Modules one after the other, named 0, 1, 2, ... (`torch.nn.Sequential`). A rectifier right after a layer that can
 * rectify by itself costs nothing: the layer's kernel does it.
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
    let y = x;
    for (let i = 0; i < this.layers.length; i++) {
      const layer = this.layers[i]!;
      const relu = layer instanceof RectifyingModule && this.layers[i + 1] instanceof ReLU;
      y = relu ? layer.forward(y, { relu }) : layer.forward(y);
      if (relu) i++;
    }
    return y;
  }
}
