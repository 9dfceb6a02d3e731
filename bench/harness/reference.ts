// Layers in double precision, each forward and backward, written as the formulas are: the truth that kernels are held to.

type Numbers = ArrayLike<number>;

/** Images n c h w, kernels o c r s, padding on every side; output n o p q. */
export interface ConvSizes {
  n: number;
  c: number;
  h: number;
  w: number;
  o: number;
  r: number;
  s: number;
  padding?: number;
}

export const convOutput = ({ h, w, r, s, padding = 0 }: ConvSizes): { p: number; q: number } => ({
  p: h + 2 * padding - r + 1,
  q: w + 2 * padding - s + 1,
});

/**
 * Calls `use(x offset, weight offset, y offset, count)` for every line of products of a convolution with stride 1: `count` neighbours
 * of x, one weight, `count` neighbours of y.
 */
function convLines(sizes: ConvSizes, use: (x: number, weight: number, y: number, count: number) => void): void {
  const { n, c, h, w, o, r, s, padding = 0 } = sizes;
  const { p, q } = convOutput(sizes);
  for (let image = 0; image < n; image++) {
    for (let out = 0; out < o; out++) {
      for (let channel = 0; channel < c; channel++) {
        for (let i = 0; i < r; i++) {
          for (let j = 0; j < s; j++) {
            const weight = ((out * c + channel) * r + i) * s + j;
            const from = Math.max(0, padding - j);
            const count = Math.min(q, w + padding - j) - from;
            for (let row = Math.max(0, padding - i); row < Math.min(p, h + padding - i); row++) {
              const x = ((image * c + channel) * h + row + i - padding) * w + from + j - padding;
              use(x, weight, ((image * o + out) * p + row) * q + from, count);
            }
          }
        }
      }
    }
  }
}

/** y = x * weight + bias. */
export function conv2d(x: Numbers, weight: Numbers, bias: Numbers, sizes: ConvSizes): Float64Array {
  const { n, o } = sizes;
  const { p, q } = convOutput(sizes);
  const y = new Float64Array(n * o * p * q);
  for (let i = 0; i < y.length; i++) y[i] = bias[Math.floor(i / (p * q)) % o]!;
  convLines(sizes, (from, tap, to, count) => {
    const factor = weight[tap]!;
    for (let i = 0; i < count; i++) y[to + i]! += factor * x[from + i]!;
  });
  return y;
}

export function conv2dBackward(x: Numbers, weight: Numbers, dy: Numbers, sizes: ConvSizes) {
  const { n, c, h, w, o } = sizes;
  const { p, q } = convOutput(sizes);
  const dx = new Float64Array(n * c * h * w);
  const dweight = new Float64Array(weight.length);
  const dbias = new Float64Array(o);
  for (let i = 0; i < dy.length; i++) dbias[Math.floor(i / (p * q)) % o]! += dy[i]!;
  convLines(sizes, (from, tap, to, count) => {
    const factor = weight[tap]!;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      dx[from + i]! += factor * dy[to + i]!;
      sum += x[from + i]! * dy[to + i]!;
    }
    dweight[tap]! += sum;
  });
  return { dx, dweight, dbias };
}

/** Windows of 2 x 2, the first of equals; `from` tells where each maximum was. x: [planes, h, w] */
export function maxPool2(x: Numbers, planes: number, h: number, w: number) {
  const [p, q] = [h >> 1, w >> 1];
  const y = new Float64Array(planes * p * q);
  const from = new Uint32Array(y.length);
  for (let i = 0; i < y.length; i++) {
    const [plane, row, col] = [Math.floor(i / (p * q)), Math.floor(i / q) % p, i % q];
    const first = (plane * h + 2 * row) * w + 2 * col;
    let best = first;
    for (const at of [first + 1, first + w, first + w + 1]) if (x[at]! > x[best]!) best = at;
    y[i] = x[best]!;
    from[i] = best;
  }
  return { y, from };
}

export function maxPool2Backward(from: Uint32Array, dy: Numbers, size: number): Float64Array {
  const dx = new Float64Array(size);
  for (let i = 0; i < from.length; i++) dx[from[i]!]! += dy[i]!;
  return dx;
}

export const relu = (x: Numbers): Float64Array => Float64Array.from(x, (v) => Math.max(v, 0));

/** Of the rectifier's output y. */
export const reluBackward = (y: Numbers, dy: Numbers): Float64Array =>
  Float64Array.from(dy, (v, i) => (y[i]! > 0 ? v : 0));

/** y = x weight^T + bias. x: [n, inputs], weight: [outputs, inputs] */
export function linear(x: Numbers, weight: Numbers, bias: Numbers, inputs: number): Float64Array {
  const outputs = bias.length;
  const y = new Float64Array((x.length / inputs) * outputs);
  for (let i = 0; i < y.length; i++) {
    const [row, out] = [Math.floor(i / outputs), i % outputs];
    let sum = bias[out]!;
    for (let k = 0; k < inputs; k++) sum += x[row * inputs + k]! * weight[out * inputs + k]!;
    y[i] = sum;
  }
  return y;
}

export function linearBackward(x: Numbers, weight: Numbers, dy: Numbers, inputs: number) {
  const outputs = weight.length / inputs;
  const dx = new Float64Array(x.length);
  const dweight = new Float64Array(weight.length);
  const dbias = new Float64Array(outputs);
  for (let i = 0; i < dy.length; i++) {
    const [row, out, g] = [Math.floor(i / outputs), i % outputs, dy[i]!];
    dbias[out]! += g;
    for (let k = 0; k < inputs; k++) {
      dx[row * inputs + k]! += g * weight[out * inputs + k]!;
      dweight[out * inputs + k]! += g * x[row * inputs + k]!;
    }
  }
  return { dx, dweight, dbias };
}

/** Rows of probabilities: softmax(x / temperature). */
export function softmax(x: Numbers, cols: number, temperature = 1): Float64Array {
  const y = new Float64Array(x.length);
  for (let first = 0; first < x.length; first += cols) {
    let max = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < cols; i++) max = Math.max(max, x[first + i]!);
    let sum = 0;
    for (let i = 0; i < cols; i++) {
      y[first + i] = Math.exp((x[first + i]! - max) / temperature);
      sum += y[first + i]!;
    }
    for (let i = 0; i < cols; i++) y[first + i]! /= sum;
  }
  return y;
}

/** Of softmax's result p: dx = p (dy - sum of the row's p dy). */
export function softmaxBackward(p: Float64Array, dy: Numbers, cols: number): Float64Array {
  const sums = rowSums(
    p.map((v, i) => v * dy[i]!),
    cols,
  );
  return p.map((v, i) => v * (dy[i]! - sums[Math.floor(i / cols)]!));
}

export function rowSums(x: Numbers, cols: number): Float64Array {
  const sums = new Float64Array(x.length / cols);
  for (let i = 0; i < x.length; i++) sums[Math.floor(i / cols)]! += x[i]!;
  return sums;
}

export function columnSums(x: Numbers, cols: number): Float64Array {
  const sums = new Float64Array(cols);
  for (let i = 0; i < x.length; i++) sums[i % cols]! += x[i]!;
  return sums;
}

/** Mean loss over the rows, each label weighing `weight` of its class, and its gradient for the logits. */
export function crossEntropy(logits: Numbers, labels: Numbers, cols: number, weight?: Numbers) {
  const p = softmax(logits, cols);
  let loss = 0;
  let total = 0;
  for (let row = 0; row < labels.length; row++) {
    const w = weight?.[labels[row]!] ?? 1;
    loss -= w * Math.log(p[row * cols + labels[row]!]!);
    total += w;
  }
  const dlogits = p.map((v, i) => {
    const label = labels[Math.floor(i / cols)]!;
    return ((weight?.[label] ?? 1) * (v - (i % cols === label ? 1 : 0))) / total;
  });
  return { loss: loss / total, dlogits };
}

/** Means of the columns of softmax(x / temperature), divided by the largest of them. */
export function softmaxColumnMean(x: Numbers, cols: number, temperature: number): Float64Array {
  const p = softmax(x, cols, temperature);
  const mean = new Float64Array(cols);
  for (let i = 0; i < p.length; i++) mean[i % cols]! += p[i]! / (p.length / cols);
  return mean;
}

/** Normalised over the batch. x: [n, c, spatial] */
export function batchNorm(x: Numbers, weight: Numbers, bias: Numbers, spatial = 1, eps = 1e-5) {
  const c = weight.length;
  const count = x.length / c;
  const channel = (i: number) => Math.floor(i / spatial) % c;
  const mean = new Float64Array(c);
  const variance = new Float64Array(c);
  for (let i = 0; i < x.length; i++) mean[channel(i)]! += x[i]! / count;
  for (let i = 0; i < x.length; i++) variance[channel(i)]! += (x[i]! - mean[channel(i)]!) ** 2 / count;
  const scale = variance.map((v) => 1 / Math.sqrt(v + eps));
  const normal = Float64Array.from(x, (v, i) => (v - mean[channel(i)]!) * scale[channel(i)]!);
  return { y: normal.map((v, i) => v * weight[channel(i)]! + bias[channel(i)]!), normal, scale };
}

/** `normal` and `scale` as {@link batchNorm} gave them. */
export function batchNormBackward(
  { normal, scale }: { normal: Float64Array; scale: Float64Array },
  weight: Numbers,
  dy: Numbers,
  spatial = 1,
) {
  const c = weight.length;
  const count = normal.length / c;
  const channel = (i: number) => Math.floor(i / spatial) % c;
  const dweight = new Float64Array(c);
  const dbias = new Float64Array(c);
  for (let i = 0; i < normal.length; i++) {
    dbias[channel(i)]! += dy[i]!;
    dweight[channel(i)]! += dy[i]! * normal[i]!;
  }
  const dx = normal.map((v, i) => {
    const at = channel(i);
    return (weight[at]! * scale[at]! * (count * dy[i]! - dbias[at]! - v * dweight[at]!)) / count;
  });
  return { dx, dweight, dbias };
}
