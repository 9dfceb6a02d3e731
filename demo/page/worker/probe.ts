import { noGrad } from '../../../src/autograd.ts';
import { type CapturedStep, capture } from '../../../src/capture.ts';
import { ImageDataset } from '../../../src/data/dataset.ts';
import type { HostImages } from '../../../src/data/host.ts';
import type { Gpu } from '../../../src/gpu/gpu.ts';
import type { SmallCnn } from '../../../src/models/smallCnn.ts';
import { slice } from '../../../src/ops/slice.ts';
import { softmax } from '../../../src/ops/softmax.ts';
import type { Tensor } from '../../../src/tensor.ts';
import { POINTS, STRIP } from '../protocol.ts';
import { Projection } from './projection.ts';

/** Runs a network on the same few images at every snapshot: where their features lie, and its predictions for the strip. */
export class Probe {
  private step: CapturedStep<{ points: Tensor; axes: Tensor; probabilities: Tensor }> | undefined;
  private readonly data: ImageDataset;
  private readonly projection: Projection;

  /** @param images POINTS of the source, then POINTS of the target, which begin with the strip */
  constructor(
    private readonly gpu: Gpu,
    private readonly model: SmallCnn,
    images: HostImages,
  ) {
    this.data = new ImageDataset(gpu, images, images.count, { labelled: false, label: 'probe' });
    this.projection = new Projection(gpu, model.featuresDim);
  }

  /** Returns the coordinates of all images, [2 * POINTS, 2], and the probabilities of the strip, [STRIP, 10]. */
  async look(): Promise<{ points: Float32Array; probabilities: Float32Array }> {
    // A captured step repeats what the layers did in their mode at the time, here eval mode.
    const restore = this.model.evalMode();
    try {
      this.step ??= await capture(this.gpu, () => noGrad(() => this.record()));
      this.step.run();
    } finally {
      restore();
    }
    const { points, axes, probabilities } = this.step.result;
    const read = await Promise.all([points.read(), probabilities.read(), axes.read()]);
    this.projection.continueFrom(read[2]);
    return { points: read[0], probabilities: read[1] };
  }

  dispose(): void {
    this.step?.dispose();
    this.projection.dispose();
    this.data.dispose();
  }

  private record() {
    const { logits, features } = this.model.forward(this.data.batchAt(0).x);
    const strip = slice(logits, POINTS, POINTS + STRIP);
    return { ...this.projection.project(features), probabilities: softmax(strip) };
  }
}
