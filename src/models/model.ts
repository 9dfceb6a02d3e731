import type { Gpu } from '../gpu/gpu.ts';
import type { Module } from '../nn/module.ts';
import type { ParameterGroup } from '../optim/index.ts';
import type { Random } from '../random.ts';
import type { Shape } from '../shape.ts';
import type { Tensor } from '../tensor.ts';

/** A model's output for a batch of n examples. */
export interface Prediction {
  /** f32 [n, numClasses] */
  logits: Tensor;
  /** f32 [n, F]: the input of the last layer, which domain adaptation aligns. */
  features: Tensor;
}

/** A network that can be adapted: any Module whose `forward` returns {@link Prediction}. The other members are optional. */
export type Model = Module<Prediction> & {
  readonly geometry?: ModelGeometry | undefined;
  /** Returns the parameters that `train` trains, in groups with their learning rates. Default: all, at one learning rate. */
  getParameters?(): ParameterGroup[];
};

/** The arguments of a {@link ModelFactory}. */
export interface ModelSpec {
  /** The shape of one example: [channels, height, width] of images, [features] of vectors. */
  shape: Shape;
  numClasses: number;
  /** Generates the initial weights. */
  random: Random;
}

/** The examples that a model accepts, and the memory that they need. */
export interface ModelGeometry {
  /** Throws `TypeError` if the model does not accept examples of this shape. */
  check(shape: Shape): void;
  /** Returns the size in bytes of the largest tensor in a training step on a batch of `rows` examples. */
  largestBuffer(shape: Shape, rows: number): number;
}

/**
 * Makes a model on a Gpu, such as `(gpu, spec) => new MyNet(gpu, spec)`. If it has a `geometry`, examples and batches that do
 * not fit are refused before anything is allocated.
 */
export interface ModelFactory<M extends Model = Model> {
  (gpu: Gpu, spec: ModelSpec): M;
  readonly geometry?: ModelGeometry;
}

/** @internal Returns the bytes of the largest tensor that a device allows. */
export const largestTensor = ({ limits }: Gpu): number =>
  Math.min(limits.maxStorageBufferBindingSize!, limits.maxBufferSize!);

/** @internal Returns how many examples of this shape a model can take at once, as far as its geometry says. */
export const mostRows = (gpu: Gpu, geometry: ModelGeometry | undefined, shape: Shape): number =>
  geometry ? Math.floor(largestTensor(gpu) / geometry.largestBuffer(shape, 1)) : Number.POSITIVE_INFINITY;
