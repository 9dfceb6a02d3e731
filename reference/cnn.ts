// The two networks of this project in double precision: the small CNN that is adapted, and the plain CNN that frameworks are
// compared by. Every layer returns its output together with the function that takes the gradient of that output back.

import { batchNorm, batchNormBackward, conv2d, conv2dBackward, maxPool2d, maxPool2dBackward } from './images.ts';
import { crossEntropy, crossEntropyBackward } from './losses.ts';
import { type Doubles, linear, linearBackward, relu, reluBackward, reshape, type Values } from './ops.ts';

/** Parameters, running statistics or gradients by their names in a state dict. */
export type State = Record<string, Values>;

/** The state that the layers of one forward and backward pass share. */
export interface Pass {
  /** Read by every layer. Batch norm in training mode replaces its running statistics, where the state has them. */
  state: State;
  /** Gradients that `backward` has computed. */
  gradients: Record<string, Doubles>;
  /** Whether batch norm uses the batch's own statistics. */
  training: boolean;
}

export const passOf = (state: State, training = true): Pass => ({ state, gradients: {}, training });

interface Layer {
  y: Doubles;
  /** Stores the gradients of the parameters and returns that of the input. */
  backward(dy: Values): Doubles;
}

/** y = maxPool2d(relu(conv2d(x))), windows of 2 x 2 */
function convolution({ state, gradients }: Pass, name: string, x: Values, padding = 0): Layer {
  const weight = state[`${name}.weight`]!;
  const rectified = relu(conv2d(x, weight, state[`${name}.bias`]!, { padding }));
  const pooled = maxPool2d(rectified, { kernelSize: 2 });
  const backward = (dy: Values) => {
    const dpooled = maxPool2dBackward(rectified.shape, pooled.from, dy.data);
    const { dx, dweight, dbias } = conv2dBackward(x, weight, reluBackward(rectified, dpooled).data, { padding });
    gradients[`${name}.weight`] = dweight;
    gradients[`${name}.bias`] = dbias;
    return dx;
  };
  return { y: pooled, backward };
}

/** y = x weight^T + bias; x of more than two dimensions is flattened to [n, inFeatures]. */
function dense({ state, gradients }: Pass, name: string, x: Values): Layer {
  const weight = state[`${name}.weight`]!;
  const flat = reshape(x, [x.shape[0]!, weight.shape[1]!]);
  const backward = (dy: Values) => {
    const { dx, dweight, dbias } = linearBackward(flat, weight, dy);
    gradients[`${name}.weight`] = dweight;
    gradients[`${name}.bias`] = dbias;
    return reshape(dx, x.shape);
  };
  return { y: linear(flat, weight, state[`${name}.bias`]!), backward };
}

/** y = batchNorm(x); moves the running statistics by 0.1 in training mode. */
function norm({ state, gradients, training }: Pass, name: string, x: Values): Layer {
  const weight = state[`${name}.weight`]!;
  const [mean, variance] = [state[`${name}.running_mean`], state[`${name}.running_var`]];
  const running = training ? undefined : { mean: mean!, variance: variance! };
  const y = batchNorm(x, weight, state[`${name}.bias`]!, { running });
  if (training && mean && variance) {
    const unbiased = x.shape[0]! / (x.shape[0]! - 1);
    const moved = (old: Values, now: Float64Array, factor: number): Doubles => ({
      shape: [...old.shape],
      data: now.map((v, i) => 0.9 * old.data[i]! + 0.1 * factor * v),
    });
    state[`${name}.running_mean`] = moved(mean, y.mean, 1);
    state[`${name}.running_var`] = moved(variance, y.variance, unbiased);
  }
  const backward = (dy: Values) => {
    const { dx, dweight, dbias } = batchNormBackward(y, weight, dy.data);
    gradients[`${name}.weight`] = dweight;
    gradients[`${name}.bias`] = dbias;
    return dx;
  };
  return { y, backward };
}

function rectifier(x: Values): Layer {
  const y = relu(x);
  return { y, backward: (dy) => reluBackward(y, dy) };
}

/** Applies one layer after the other; backward goes the other way. */
function sequential(x: Values, ...layers: ((x: Values) => Layer)[]): Layer {
  const done: Layer[] = [];
  for (const layer of layers) done.push(layer(done.at(-1)?.y ?? x));
  return {
    y: done.at(-1)!.y,
    backward: (dy) => done.reduceRight((d: Values, { backward }) => backward(d), dy) as Doubles,
  };
}

/**
 * The small CNN: convolutions `backbone.0`, `backbone.3`, ... with ReLU and max-pool, a bottleneck with batch norm and ReLU,
 * a linear head. x: [n, c, h, w] -> features [n, d] and logits [n, C]
 */
export function smallCnn(
  pass: Pass,
  x: Values,
  { prefix = '', paddings = [0, 0] }: { prefix?: string; paddings?: number[] } = {},
) {
  const features = sequential(
    x,
    ...paddings.map((padding, i) => (x: Values) => convolution(pass, `${prefix}backbone.${3 * i}`, x, padding)),
    (x) => dense(pass, `${prefix}bottleneck.0`, x),
    (x) => norm(pass, `${prefix}bottleneck.1`, x),
    rectifier,
  );
  return { features, head: dense(pass, `${prefix}head`, features.y) };
}

/** The domain discriminator before its sigmoid, with batch norm, or without it and without dropout. x: [n, d] -> [n, 1] */
export const discriminator = (pass: Pass, x: Values, prefix = '', { batchNorm = true } = {}): Layer =>
  sequential(
    x,
    ...[0, 3].flatMap((i) => [
      (x: Values) => dense(pass, `${prefix}${i}`, x),
      ...(batchNorm ? [(x: Values) => norm(pass, `${prefix}${i + 1}`, x)] : []),
      rectifier,
    ]),
    (x) => dense(pass, `${prefix}6.0`, x),
  );

/** The plain CNN: two convolutions with ReLU and max-pool, a hidden layer, a linear head. x: [n, 1, 28, 28] -> [n, C] */
export const plainCnn = (pass: Pass, x: Values): Layer =>
  sequential(
    x,
    (x) => convolution(pass, '0', x),
    (x) => convolution(pass, '3', x),
    (x) => dense(pass, '7', x),
    rectifier,
    (x) => dense(pass, '9', x),
  );

/** The loss of the plain CNN and the gradients of its parameters. */
export function plainCnnGradients(state: State, x: Values, labels: Values) {
  const pass = passOf(state);
  const { y: logits, backward } = plainCnn(pass, x);
  backward(crossEntropyBackward(logits, labels));
  return { loss: crossEntropy(logits, labels).data[0]!, logits, gradients: pass.gradients };
}
