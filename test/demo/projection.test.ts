import * as assert from 'uvu/assert';
import { Projection } from '../../demo/page/worker/projection.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded } from '../harness.ts';

const [ROWS, DIMENSIONS] = [150, 24];
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
const rowsOf = (x: Float32Array, width: number) =>
  Array.from({ length: x.length / width }, (_, i) => [...x.subarray(i * width, (i + 1) * width)]);

/** Features that vary most along two directions, around a mean that is not 0. */
function features(): Float32Array {
  const random = seeded(5);
  const normal = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  const [first, second] = [0, 1].map(() => Array.from({ length: DIMENSIONS }, normal));
  const rows = Array.from({ length: ROWS }, () => {
    const [a, b] = [2 * normal(), normal()];
    return first!.map((value, d) => 7 + a * value + b * second![d]! + 0.3 * normal());
  });
  return Float32Array.from(rows.flat());
}

gpuTest('features are projected on their two principal axes', async (gpu) => {
  const x = features();
  const projection = new Projection(gpu, DIMENSIONS);
  const f = tensor(gpu, x, [ROWS, DIMENSIONS]);
  let axes: Float32Array = new Float32Array();
  let points: Float32Array = axes;
  // Each round continues from the axes of the last one.
  for (let i = 0; i < 4; i++) {
    const y = tidy(() => projection.project(f));
    [axes, points] = await Promise.all([y.axes.read(), y.points.read()]);
    y.axes.dispose();
    y.points.dispose();
    projection.continueFrom(axes);
  }
  // In double precision: the axes are orthonormal eigenvectors of the scatter matrix, and no others have larger eigenvalues.
  const rows = rowsOf(x, DIMENSIONS);
  const means = rows[0]!.map((_, d) => rows.reduce((sum, row) => sum + row[d]!, 0) / ROWS);
  const centred = rows.map((row) => row.map((value, d) => value - means[d]!));
  const scatter = means.map((_, d) => means.map((_, e) => centred.reduce((sum, row) => sum + row[d]! * row[e]!, 0)));
  const [a, b] = rowsOf(axes, DIMENSIONS) as [number[], number[]];
  const [first, second] = [a, b].map((axis) => {
    const image = scatter.map((row) => dot(row, axis));
    const value = dot(image, axis);
    const rest = image.map((each, d) => each - value * axis[d]!);
    assert.ok(Math.sqrt(dot(rest, rest)) < 0.005 * value && Math.abs(dot(axis, axis) - 1) < 1e-5);
    return value;
  }) as [number, number];
  const others = scatter.reduce((sum, row, d) => sum + row[d]!, 0) - first - second;
  assert.ok(Math.abs(dot(a, b)) < 1e-5 && first > second && second > others, `${[first, second, others]}`);
  for (const [i, point] of rowsOf(points, 2).entries())
    for (const [k, axis] of [a, b].entries()) assert.ok(Math.abs(point[k]! - dot(centred[i]!, axis)) < 1e-3);
  projection.dispose();
  f.dispose();
});

gpuTest('equal features lie at 0, without NaN', async (gpu) => {
  const projection = new Projection(gpu, 8);
  const f = tensor(gpu, new Float32Array(40).fill(3), [5, 8]);
  const y = tidy(() => projection.project(f));
  assert.equal([...(await y.points.read())], new Array(10).fill(0));
  for (const each of [y.axes, y.points, f, projection]) each.dispose();
});

run();
