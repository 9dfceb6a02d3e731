// BA3US in double precision, as the authors' my_loss.py and run_partial.py have it, without dropout.

import { discriminator, passOf, type State, smallCnn } from './cnn.ts';
import { crossEntropy, crossEntropyBackward } from './losses.ts';
import { complementEntropy, entropy, entropyBackward } from './methods.ts';
import { concat, sigmoid, slice, softmax, softmaxBackward, type Values, zeros } from './ops.ts';
import type { Batch } from './pada.ts';

const EPS = { eps: 1e-7 };

export interface Ba3usIterationOptions {
  /** [C] */
  classWeight: Values;
  /** How many of the further source images count as target images. */
  counted: number;
  coefficient: number;
  tradeOff: number;
  gamma: number;
  cotWeight: number;
}

/** The losses of one iteration and the gradients of all parameters. `further` are the source images that fill up the target. */
export function ba3usIteration(
  state: State,
  { source, labels, target, further }: Batch & { further: { images: Values; labels: Values } },
  { classWeight, counted, coefficient, tradeOff, gamma, cotWeight }: Ba3usIterationOptions,
) {
  const n = labels.data.length;
  const pass = passOf(state);
  const x = concat(source, target, further.images);
  const N = x.shape[0]!;
  const { features, head } = smallCnn(pass, x, { prefix: 'model.' });
  const cols = head.y.shape[1]!;
  const sourceLogits = slice(head.y, 0, n);
  const classLoss = crossEntropy(sourceLogits, labels, { weight: classWeight }).data[0]!;

  // Which rows count as source images of the loss and as target images, and their weights.
  const p = softmax(head.y);
  const u = entropy(p, EPS).data.map((h) => 1 + Math.exp(-h));
  const isTarget = (i: number) => i >= n && i < 2 * n;
  const classOf = (i: number) => (i < n ? labels.data[i]! : further.labels.data[i - 2 * n]!);
  const isCounted = (i: number) => i < 2 * n || i - 2 * n < counted;
  const c = Float64Array.from(u, (_, i) => (isTarget(i) || !isCounted(i) ? 0 : classWeight.data[classOf(i)]!));
  const sumOfSource = u.reduce((sum, v, i) => sum + v * c[i]!, 0);
  const sumOfTarget = u.reduce((sum, v, i) => sum + (isTarget(i) ? v : 0), 0);
  const more = counted / n;
  const factor = (i: number) => (((1 + more) * c[i]!) / sumOfSource + Number(isTarget(i)) / sumOfTarget) / (2 + more);
  const domain = discriminator(pass, features.y, 'discriminator.', { batchNorm: false });
  const d = sigmoid(domain.y).data;
  const each = d.map((v, i) => -Math.log(i < n ? v : 1 - v));
  const transferLoss = each.reduce((sum, l, i) => sum + factor(i) * u[i]! * l, 0);

  const targetP = slice(p, n, 2 * n);
  const meanEntropy = entropy(targetP, EPS).data.reduce((sum, h) => sum + h / n, 0);
  const cot = complementEntropy(sourceLogits, labels, classWeight);

  // Backward. The gradient of the entropy in u is reversed, as that of the features is.
  const dh = { shape: [N], data: u.map((v, i) => -coefficient * tradeOff * factor(i) * each[i]! * -(v - 1)) };
  const dlogits = softmaxBackward(p, entropyBackward(p, dh, EPS));
  const addTo = (first: number, part: Values, scale = 1) => {
    for (let i = 0; i < part.data.length; i++) dlogits.data[first * cols + i]! += scale * part.data[i]!;
  };
  addTo(0, crossEntropyBackward(sourceLogits, labels, classWeight));
  addTo(0, cot.dlogits, cotWeight);
  const perRow = { shape: [n], data: new Float64Array(n).fill(gamma / n) };
  addTo(n, softmaxBackward(targetP, entropyBackward(targetP, perRow, EPS)));
  const dz = zeros([N, 1]);
  for (let i = 0; i < N; i++) dz.data[i] = tradeOff * factor(i) * u[i]! * (d[i]! - Number(i < n));
  const dfeatures = head.backward(dlogits);
  const ofDomain = domain.backward(dz).data;
  for (let i = 0; i < dfeatures.data.length; i++) dfeatures.data[i]! -= coefficient * ofDomain[i]!;
  features.backward(dfeatures);
  const loss = classLoss + tradeOff * transferLoss + gamma * meanEntropy + cotWeight * cot.loss.data[0]!;
  return { loss, classLoss, transferLoss, gradients: pass.gradients };
}
