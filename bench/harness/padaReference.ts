import * as reference from './reference.ts';

type Numbers = ArrayLike<number>;

/** One batch of a PADA iteration and what it depends on besides the parameters. */
export interface PadaBatch {
  /** [2 n, 1, 28, 28], those of the source first. */
  x: Numbers;
  /** Of the source images: [n]. */
  labels: Numbers;
  /** [10] */
  classWeight: Numbers;
  /** How much of the gradient is reversed. */
  coefficient: number;
  tradeOff: number;
}

/** Parameters by the names of a training's state. */
export type Parameters = (name: string) => Numbers;

const CLASSES = 10;
const FEATURES = 128;
const FLAT = 512;

/** A linear layer, batch norm and rectifier, forward and, as a function of the result, backward. */
function hiddenLayer(x: Numbers, inputs: number, at: Parameters, [linear, norm]: [linear: string, norm: string]) {
  const weight = at(`${linear}.weight`);
  const scale = at(`${norm}.weight`);
  const normal = reference.batchNorm(
    reference.linear(x, weight, at(`${linear}.bias`), inputs),
    scale,
    at(`${norm}.bias`),
  );
  const y = reference.relu(normal.y);
  const backward = (dy: Numbers) => {
    const normed = reference.batchNormBackward(normal, scale, reference.reluBackward(y, dy));
    const product = reference.linearBackward(x, weight, normed.dx, inputs);
    const gradients = {
      [`${linear}.weight`]: product.dweight,
      [`${linear}.bias`]: product.dbias,
      [`${norm}.weight`]: normed.dweight,
      [`${norm}.bias`]: normed.dbias,
    };
    return { dx: product.dx, gradients };
  };
  return { y, backward };
}

/** A 5 x 5 convolution, rectifier and pooling, likewise. */
function convolution(x: Numbers, sizes: reference.ConvSizes, at: Parameters, name: string) {
  const { p, q } = reference.convOutput(sizes);
  const rectified = reference.relu(reference.conv2d(x, at(`${name}.weight`), at(`${name}.bias`), sizes));
  const pool = reference.maxPool2(rectified, sizes.n * sizes.o, p, q);
  const backward = (dy: Numbers) => {
    const dpool = reference.maxPool2Backward(pool.from, dy, rectified.length);
    const { dx, dweight, dbias } = reference.conv2dBackward(
      x,
      at(`${name}.weight`),
      reference.reluBackward(rectified, dpool),
      sizes,
    );
    return { dx, gradients: { [`${name}.weight`]: dweight, [`${name}.bias`]: dbias } };
  };
  return { y: pool.y, backward };
}

/** Gradients of all parameters of a PADA iteration in double precision, by their names. */
export function padaGradients(
  { x, labels, classWeight, coefficient, tradeOff }: PadaBatch,
  at: Parameters,
): Record<string, Float64Array> {
  const n = labels.length;
  const first = convolution(x, { n: 2 * n, c: 1, h: 28, w: 28, o: 16, r: 5, s: 5 }, at, 'model.backbone.0');
  const second = convolution(first.y, { n: 2 * n, c: 16, h: 12, w: 12, o: 32, r: 5, s: 5 }, at, 'model.backbone.3');
  const features = hiddenLayer(second.y, FLAT, at, ['model.bottleneck.0', 'model.bottleneck.1']);
  const logits = reference.linear(features.y, at('model.head.weight'), at('model.head.bias'), FEATURES);

  const one = hiddenLayer(features.y, FEATURES, at, ['discriminator.0', 'discriminator.1']);
  const two = hiddenLayer(one.y, FEATURES, at, ['discriminator.3', 'discriminator.4']);
  const z = reference.linear(two.y, at('discriminator.6.0.weight'), at('discriminator.6.0.bias'), FEATURES);

  // The target's logits have no loss.
  const { dlogits } = reference.crossEntropy(logits.subarray(0, n * CLASSES), labels, CLASSES, classWeight);
  const all = new Float64Array(logits.length);
  all.set(dlogits);
  const head = reference.linearBackward(features.y, at('model.head.weight'), all, FEATURES);

  const source = Float64Array.from(labels, (label) => classWeight[label]!);
  const target = source.reduce((a, b) => a + b, 0) / n;
  // d loss / d z of a binary cross-entropy of sigmoid(z) is w (sigmoid(z) - t), here times 1 / (2 n).
  const dz = z.map((v, i) => {
    const p = 1 / (1 + Math.exp(-v));
    return ((i < n ? source[i]! * (p - 1) : target * p) * tradeOff) / (2 * n);
  });
  const last = reference.linearBackward(two.y, at('discriminator.6.0.weight'), dz, FEATURES);
  const dtwo = two.backward(last.dx);
  const done = one.backward(dtwo.dx);

  const dfeatures = features.backward(head.dx.map((v, i) => v - coefficient * done.dx[i]!));
  const dsecond = second.backward(dfeatures.dx);
  const dfirst = first.backward(dsecond.dx);
  return {
    ...dfirst.gradients,
    ...dsecond.gradients,
    ...dfeatures.gradients,
    'model.head.weight': head.dweight,
    'model.head.bias': head.dbias,
    ...done.gradients,
    ...dtwo.gradients,
    'discriminator.6.0.weight': last.dweight,
    'discriminator.6.0.bias': last.dbias,
  };
}
