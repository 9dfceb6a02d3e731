// Every op in double precision, as plain loops that read like its formula. Kernels, benches and the lab are compared with these.
// A gradient is written out where a bench or a network needs it; tests get the others from the central difference of the
// forward loop. Options have the names and defaults of the ops in src/ops.

/** An array in row-major order. */
export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** The result of an op. */
export interface Doubles {
  shape: number[];
  data: Float64Array;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((size, n) => size * n, 1);

export const zeros = (shape: readonly number[]): Doubles => ({
  shape: [...shape],
  data: new Float64Array(sizeOf(shape)),
});

/** A tensor without dimensions. */
export const scalar = (value: number): Doubles => ({ shape: [], data: Float64Array.of(value) });

/** Returns the same elements under another shape. */
export const reshape = (x: Values, shape: readonly number[]): Doubles => ({
  shape: [...shape],
  data: Float64Array.from(x.data),
});

// ---------------------------------------------------------------------------------------------------- element by element

/** The probability that a normal variable is below x: a series of positive terms near 0, a continued fraction in the tails. */
function normal(x: number): number {
  const z = Math.abs(x);
  let tail = 0;
  if (z < 3) {
    let [sum, term] = [z, z];
    for (let n = 3; n < 200; n += 2) {
      term *= (z * z) / n;
      sum += term;
    }
    tail = 0.5 - density(z) * sum;
  } else {
    for (let k = 200; k > 0; k--) tail = k / (z + tail);
    tail = density(z) / (z + tail);
  }
  return x < 0 ? tail : 1 - tail;
}

const density = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));
/** The argument of the sigmoid in GELU's approximation. */
const bent = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const bentSlope = (x: number): number => 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x ** 2);
const leaky = (negativeSlope: number) => ({
  f: (x: number) => (x < 0 ? negativeSlope * x : x),
  slope: (x: number) => (x > 0 ? 1 : negativeSlope),
});

/** y = f(x), with dy/dx. */
export const unary = {
  relu: { f: (x: number) => Math.max(x, 0), slope: (x: number) => (x <= 0 ? 0 : 1) },
  sigmoid: {
    f: (x: number) => 1 / (1 + Math.exp(-x)),
    slope: (x: number) => 1 / (1 + Math.exp(-x)) / (1 + Math.exp(x)),
  },
  tanh: { f: Math.tanh, slope: (x: number) => 1 - Math.tanh(x) ** 2 },
  exp: { f: Math.exp, slope: Math.exp },
  log: { f: Math.log, slope: (x: number) => 1 / x },
  abs: { f: Math.abs, slope: Math.sign },
  sqrt: { f: Math.sqrt, slope: (x: number) => 0.5 / Math.sqrt(x) },
  leakyRelu: leaky(0.01),
  gelu: { f: (x: number) => x * normal(x), slope: (x: number) => normal(x) + x * density(x) },
  geluTanh: {
    f: (x: number) => x * sigmoidOf(bent(x)),
    slope: (x: number) => sigmoidOf(bent(x)) + x * sigmoidOf(bent(x)) * sigmoidOf(-bent(x)) * bentSlope(x),
  },
};

/** y = f(a, b), with dy/da and dy/db. */
export const binary = {
  add: { f: (a: number, b: number) => a + b, slopes: [() => 1, () => 1] },
  sub: { f: (a: number, b: number) => a - b, slopes: [() => 1, () => -1] },
  mul: { f: (a: number, b: number) => a * b, slopes: [(_: number, b: number) => b, (a: number) => a] },
  div: {
    f: (a: number, b: number) => a / b,
    slopes: [(_: number, b: number) => 1 / b, (a: number, b: number) => -a / b / b],
  },
};

const each =
  (f: (x: number) => number) =>
  ({ shape, data }: Values): Doubles => ({ shape: [...shape], data: Float64Array.from(data, (x) => f(x)) });

export const relu = each(unary.relu.f);
export const sigmoid = each(unary.sigmoid.f);
export const tanh = each(unary.tanh.f);
export const exp = each(unary.exp.f);
export const log = each(unary.log.f);
export const abs = each(unary.abs.f);
export const sqrt = each(unary.sqrt.f);
export const leakyRelu = (x: Values, { negativeSlope = 0.01 }: { negativeSlope?: number } = {}): Doubles =>
  each(leaky(negativeSlope).f)(x);
export const gelu = (x: Values, { approximate = 'none' }: { approximate?: 'none' | 'tanh' } = {}): Doubles =>
  each(approximate === 'tanh' ? unary.geluTanh.f : unary.gelu.f)(x);
export const clamp = (x: Values, { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY }): Doubles =>
  each((v) => Math.min(Math.max(v, min), max))(x);
export const scale = (x: Values, factor: number): Doubles => each((v) => v * factor)(x);

/** dx = 0 where y = relu(x) <= 0, else dy; as in PyTorch a NaN passes the gradient. */
export const reluBackward = (y: Values, dy: Values): Doubles => ({
  shape: [...y.shape],
  data: Float64Array.from(dy.data, (g, i) => (y.data[i]! <= 0 ? 0 : g)),
});

/** Combines two arrays element by element; a size of 1 is repeated, as in PyTorch's broadcasting. */
const pairs =
  (f: (a: number, b: number) => number) =>
  (a: Values, b: Values): Doubles => {
    const rank = Math.max(a.shape.length, b.shape.length);
    const padded = [a, b].map(({ shape }) => [...new Array<number>(rank - shape.length).fill(1), ...shape]);
    const y = zeros(padded[0]!.map((n, d) => (n === 1 ? padded[1]![d]! : n)));
    for (let i = 0; i < y.data.length; i++) {
      const [atA, atB] = padded.map((shape) => placeOf(i, y.shape, shape));
      y.data[i] = f(a.data[atA!]!, b.data[atB!]!);
    }
    return y;
  };

/** The index, in an array of `shape`, of the element that is repeated at index `i` of an array of the shape `whole`. */
function placeOf(i: number, whole: readonly number[], shape: readonly number[]): number {
  let [place, step, left] = [0, 1, i];
  for (let d = whole.length - 1; d >= 0; d--) {
    if (shape[d] !== 1) place += step * (left % whole[d]!);
    step *= shape[d]!;
    left = Math.floor(left / whole[d]!);
  }
  return place;
}

export const add = pairs(binary.add.f);
export const sub = pairs(binary.sub.f);
export const mul = pairs(binary.mul.f);
export const div = pairs(binary.div.f);

/** pcg3d, the hash of Jarzynski and Olano (2020): the last of its three words. */
export function pcg3d(x: number, y: number, z: number): number {
  const { imul } = Math;
  let [a, b, c] = [x, y, z].map((v) => (imul(v, 1664525) + 1013904223) | 0) as [number, number, number];
  a = (a + imul(b, c)) | 0;
  b = (b + imul(c, a)) | 0;
  c = (c + imul(a, b)) | 0;
  [a, b, c] = [a ^ (a >>> 16), b ^ (b >>> 16), c ^ (c >>> 16)];
  a = (a + imul(b, c)) | 0;
  b = (b + imul(c, a)) | 0;
  c = (c + imul(a, b)) | 0;
  return c >>> 0;
}

/** y[i] = x[i] / (1 - p) where the hash of (i, draw, seed) is at least p, else 0. */
export function dropout(x: Values, { p, seed, draw }: { p: number; seed: number; draw: number }): Doubles {
  const kept = (i: number) => (pcg3d(i, draw, seed) >>> 8) / 2 ** 24 >= Math.fround(p);
  return { shape: [...x.shape], data: Float64Array.from(x.data, (v, i) => (kept(i) ? v / (1 - p) : 0)) };
}

// ----------------------------------------------------------------------------------------------------- along a dimension

export interface ReduceOptions {
  dim?: number | undefined;
  keepdim?: boolean;
}

/** The rows of x along `dim`, or one row of all elements. Row r has its elements at first(r) + k * step, k < n. */
function rowsOf({ shape, data }: Values, dim?: number) {
  if (dim === undefined)
    return { n: data.length, step: 1, rest: [] as number[], kept: shape.map(() => 1), first: () => 0 };
  const axis = (dim + shape.length) % Math.max(1, shape.length);
  const n = shape[axis] ?? 1;
  const step = sizeOf(shape.slice(axis + 1));
  const rest = shape.filter((_, d) => d !== axis);
  const kept = shape.map((size, d) => (d === axis ? 1 : size));
  return { n, step, rest, kept, first: (r: number) => Math.floor(r / step) * n * step + (r % step) };
}

/** Reduces every row to one number. */
function reduce(x: Values, { dim, keepdim }: ReduceOptions, f: (row: Float64Array) => number): Doubles {
  const { n, step, rest, kept, first } = rowsOf(x, dim);
  const y = zeros(keepdim ? kept : rest);
  const row = new Float64Array(n);
  for (let r = 0; r < y.data.length; r++) {
    for (let k = 0; k < n; k++) row[k] = x.data[first(r) + k * step]!;
    y.data[r] = f(row);
  }
  return y;
}

const total = (row: Float64Array): number => {
  let sum = 0;
  for (const v of row) sum += v;
  return sum;
};

/** The index of the first largest element; NaN is larger than any number. */
const firstLargest = (row: ArrayLike<number>): number => {
  let best = 0;
  for (let k = 1; k < row.length; k++)
    if (row[k]! > row[best]! || (Number.isNaN(row[k]) && !Number.isNaN(row[best]))) best = k;
  return best;
};

export const sum = (x: Values, options: ReduceOptions = {}): Doubles => reduce(x, options, total);
export const mean = (x: Values, options: ReduceOptions = {}): Doubles =>
  reduce(x, options, (row) => total(row) / row.length);
export const max = (x: Values, options: ReduceOptions = {}): Doubles =>
  reduce(x, options, (row) => row[firstLargest(row)]!);
export const argmax = (x: Values, { dim = -1, keepdim = false }: ReduceOptions = {}): Doubles =>
  reduce(x, { dim, keepdim }, firstLargest);
/** x: [n, C] -> [C] */
export const columnMean = (x: Values): Doubles => mean(x, { dim: 0 });

export interface SoftmaxOptions {
  dim?: number;
  temperature?: number;
}

/** Replaces every row in place. */
function mapRows(x: Values, dim: number, f: (row: Float64Array) => void): Doubles {
  const { n, step, first } = rowsOf(x, dim);
  const y = zeros(x.shape);
  const row = new Float64Array(n);
  for (let r = 0; r < y.data.length / n; r++) {
    for (let k = 0; k < n; k++) row[k] = x.data[first(r) + k * step]!;
    f(row);
    for (let k = 0; k < n; k++) y.data[first(r) + k * step] = row[k]!;
  }
  return y;
}

/** log sum_k exp(row[k]), without overflow. */
function logSumExp(row: ArrayLike<number>): number {
  let m = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < row.length; k++) m = Math.max(m, row[k]!);
  let s = 0;
  for (let k = 0; k < row.length; k++) s += Math.exp(row[k]! - m);
  return m + Math.log(s);
}

/** y = x / T - log sum_k exp(x[k] / T) */
export const logSoftmax = (x: Values, { dim = -1, temperature = 1 }: SoftmaxOptions = {}): Doubles =>
  mapRows(x, dim, (row) => {
    for (let k = 0; k < row.length; k++) row[k]! /= temperature;
    const norm = logSumExp(row);
    for (let k = 0; k < row.length; k++) row[k]! -= norm;
  });

/** y = exp(x / T) / sum_k exp(x[k] / T) */
export const softmax = (x: Values, options: SoftmaxOptions = {}): Doubles => exp(logSoftmax(x, options));

/** dx = y (dy - sum_k y[k] dy[k]) for rows of the last dimension and T = 1. */
export function softmaxBackward(y: Values, dy: Values): Doubles {
  const along = sum(mul(y, dy), { dim: -1, keepdim: true });
  return mul(y, sub(dy, along));
}

/** dx = dy - softmax(x) sum_k dy[k] for rows of the last dimension and T = 1. */
export const logSoftmaxBackward = (x: Values, dy: Values): Doubles =>
  sub(dy, mul(softmax(x), sum(dy, { dim: -1, keepdim: true })));

/** Mean over the rows of softmax(x / T): the class weights before they are divided by the largest. x: [n, C] -> [C] */
export const softmaxColumnMean = (x: Values, { temperature = 1 }: { temperature?: number } = {}): Doubles =>
  columnMean(softmax(x, { temperature }));

/** y = (x - mean) / sqrt(variance + eps) weight + bias over the last dimensions, whose shape weight and bias have. */
export function layerNorm(x: Values, weight: Values, bias: Values, { eps = 1e-5 }: { eps?: number } = {}): Doubles {
  const cols = weight.data.length;
  const normalised = mapRows({ shape: [x.data.length / cols, cols], data: x.data }, -1, (row) => {
    const m = total(row) / cols;
    const variance = total(row.map((v) => (v - m) ** 2)) / cols;
    for (let k = 0; k < cols; k++)
      row[k] = ((row[k]! - m) / Math.sqrt(variance + eps)) * weight.data[k]! + bias.data[k]!;
  });
  return reshape(normalised, x.shape);
}

/** Exchanges two dimensions. */
export function transpose(x: Values, dim0: number, dim1: number): Doubles {
  const rank = x.shape.length;
  const order = x.shape.map((_, d) => d);
  const [a, b] = [(dim0 + rank) % rank, (dim1 + rank) % rank];
  [order[a], order[b]] = [order[b]!, order[a]!];
  const y = zeros(order.map((d) => x.shape[d]!));
  for (let i = 0; i < y.data.length; i++) {
    const at = new Array<number>(rank).fill(0);
    for (let d = rank - 1, left = i; d >= 0; left = Math.floor(left / y.shape[d]!), d--)
      at[order[d]!] = left % y.shape[d]!;
    y.data[i] = x.data[at.reduce((place, k, d) => place * x.shape[d]! + k, 0)]!;
  }
  return y;
}

// ------------------------------------------------------------------------------------------------------------------ rows

/** y[i] = x[index[i]]; x: [n, ...], index: [...] */
export function gatherRows(x: Values, index: Values): Doubles {
  const y = zeros([...index.shape, ...x.shape.slice(1)]);
  const cols = sizeOf(x.shape.slice(1));
  for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[index.data[Math.floor(i / cols)]! * cols + (i % cols)]!;
  return y;
}

/** dx[index[i]] += dy[i] */
export function gatherRowsBackward(x: Values, index: Values, dy: ArrayLike<number>): Doubles {
  const dx = zeros(x.shape);
  const cols = sizeOf(x.shape.slice(1));
  for (let i = 0; i < dy.length; i++) dx.data[index.data[Math.floor(i / cols)]! * cols + (i % cols)]! += dy[i]!;
  return dx;
}

/** Elements `start` to `end` - 1 along dimension `dim`. x: any shape */
export function slice(x: Values, start: number, end: number, { dim = 0 }: { dim?: number } = {}): Doubles {
  const axis = dim < 0 ? dim + x.shape.length : dim;
  const y = zeros(x.shape.map((n, d) => (d === axis ? end - start : n)));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const [whole, part] = [x.shape[axis]! * inner, (end - start) * inner];
  for (let i = 0; i < y.data.length; i++)
    y.data[i] = x.data[Math.floor(i / part) * whole + start * inner + (i % part)]!;
  return y;
}

/** The parts one after the other along dimension `dim`. parts: equal sizes in all other dimensions */
export function concatAlong(dim: number, ...parts: Values[]): Doubles {
  const [{ shape }] = parts as [Values];
  const axis = dim < 0 ? dim + shape.length : dim;
  const y: number[] = [];
  for (let r = 0; r < sizeOf(shape.slice(0, axis)); r++)
    for (const part of parts) {
      const row = sizeOf(part.shape.slice(axis));
      for (let i = 0; i < row; i++) y.push(part.data[r * row + i]!);
    }
  const total = parts.reduce((n, part) => n + part.shape[axis]!, 0);
  return { shape: shape.map((n, d) => (d === axis ? total : n)), data: Float64Array.from(y) };
}

/** The rows of all parts, one part after the other. parts: [n_i, ...] */
export const concat = (...parts: Values[]): Doubles => concatAlong(0, ...parts);

// --------------------------------------------------------------------------------------------------------------- matmul

/** y = a b; a: [m, k], b: [k, n], or their transposes. */
export function matmul(a: Values, b: Values, { transposeA = false, transposeB = false } = {}): Doubles {
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const n = b.shape[transposeB ? 0 : 1]!;
  const [rowA, colA] = transposeA ? [1, m] : [k, 1];
  const [rowB, colB] = transposeB ? [1, k] : [n, 1];
  const y = zeros([m, n]);
  for (let r = 0; r < m; r++) {
    for (let i = 0; i < k; i++) {
      const factor = a.data[r * rowA + i * colA]!;
      for (let c = 0; c < n; c++) y.data[r * n + c]! += factor * b.data[i * rowB + c * colB]!;
    }
  }
  return y;
}

/** y = x weight^T + bias; x: [..., k], weight: [n, k], bias: [n] -> [..., n] */
export function linear(x: Values, weight: Values, bias: Values | null, options: { relu?: boolean } = {}): Doubles {
  const [n, k] = weight.shape as [number, number];
  const y = matmul({ shape: [x.data.length / k, k], data: x.data }, weight, { transposeB: true });
  if (bias) for (let i = 0; i < y.data.length; i++) y.data[i]! += bias.data[i % n]!;
  return reshape(options.relu ? relu(y) : y, [...x.shape.slice(0, -1), n]);
}

/** dx = dy weight, dweight = dy^T x, dbias = sum of dy's rows; x: [m, k], weight: [n, k], dy: [m, n] */
export function linearBackward(x: Values, weight: Values, dy: Values) {
  return {
    dx: matmul(dy, weight),
    dweight: matmul(dy, x, { transposeA: true }),
    dbias: sum(dy, { dim: 0 }),
  };
}

// -------------------------------------------------------------------------------------------------------------- counting

/** The percentage of rows whose largest logit is at their label. logits: [n, C], labels: [n] */
export function accuracy(logits: Values, labels: Values): Doubles {
  const predicted = argmax(logits).data;
  let right = 0;
  for (let r = 0; r < predicted.length; r++) if (predicted[r] === labels.data[r]) right++;
  return scalar((100 * right) / predicted.length);
}

/** How often a row of each label (rows of the result) was predicted to be of each class (columns). -> [C, C] */
export function confusionMatrix(logits: Values, labels: Values): Doubles {
  const cols = logits.shape[1]!;
  const counts = zeros([cols, cols]);
  for (const [r, predicted] of argmax(logits).data.entries()) counts.data[labels.data[r]! * cols + predicted]!++;
  return counts;
}
