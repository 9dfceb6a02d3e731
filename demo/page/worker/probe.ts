import { noGrad } from '../../../src/autograd.ts';
import { type CapturedStep, capture } from '../../../src/capture.ts';
import { type HostImages, ImageDataset } from '../../../src/data/dataset.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { SmallCnn } from '../../../src/models/smallCnn.ts';
import { sliceRows } from '../../../src/ops/sliceRows.ts';
import { softmax } from '../../../src/ops/softmax.ts';
import type { Tensor } from '../../../src/tensor.ts';
import { Projection } from './projection.ts';

/** What a probe sees: coordinates of all its images, and the probabilities of some. */
export interface Sight {
  points: Float32Array;
  probabilities: Float32Array;
}

/** The same few images put to a network again and again: where their features lie, and what some of them are taken for. */
export class Probe {
  private step: CapturedStep<{ points: Tensor; axes: Tensor; probabilities: Tensor }> | undefined;
  private readonly data: ImageDataset;
  private readonly projection: Projection;

  /** @param asked the images [from, to) whose probabilities are wanted */
  constructor(
    private readonly gpu: Gpu,
    private readonly model: SmallCnn,
    images: HostImages,
    private readonly asked: readonly [from: number, to: number],
  ) {
    this.data = new ImageDataset(gpu, images, images.count, { labelled: false, label: 'probe' });
    this.projection = new Projection(gpu, model.featuresDim);
  }

  /** One readback. The model is in eval mode meanwhile. */
  async look(): Promise<Sight> {
    // What is captured is what the layers do in the mode that they are in now.
    const restore = this.model.evalMode();
    try {
      this.step ??= await capture(this.gpu, () => noGrad(() => this.record()));
      this.step.run();
    } finally {
      restore();
    }
    const { points, axes, probabilities } = this.step.result;
    const read = await Promise.all([points.read(), probabilities.read(), axes.read()]);
    this.projection.follow(read[2]);
    return { points: read[0], probabilities: read[1] };
  }

  dispose(): void {
    this.step?.dispose();
    this.projection.dispose();
    this.data.dispose();
  }

  private record() {
    const { logits, features } = this.model.forward(this.data.batchAt(0).x);
    return { ...this.projection.project(features), probabilities: softmax(sliceRows(logits, ...this.asked)) };
  }
}
