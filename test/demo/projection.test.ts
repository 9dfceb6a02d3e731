import * as assert from 'uvu/assert';
import { Projection } from '../../demo/page/worker/projection.ts';
import { tensor } from '../../src/tensor.ts';
import { tidy } from '../../src/tidy.ts';
import { gpuTest, run, seeded } from '../harness.ts';

const [ROWS, DIMENSIONS] = [150, 24];

/** Features that vary most along two directions of their own, around a middle that is not 0. */
function features(): Float32Array {
  const random = seeded(5);
  const normal = () => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  const directions = [0, 1].map(() => Array.from({ length: DIMENSIONS }, normal));
  return Float32Array.from(
    Array.from({ length: ROWS }, () => {
      const [a, b] = [2 * normal(), normal()];
      return Array.from(
        { length: DIMENSIONS },
        (_, d) => 7 + a * directions[0]![d]! + b * directions[1]![d]! + 0.3 * normal(),
      );
    }).flat(),
  );
}

/** Principal axes in double precision, by many rounds of power iteration with deflation. */
function principalAxes(x: Float32Array): number[][] {
  const means = Array.from({ length: DIMENSIONS }, (_, d) => {
    let sum = 0;
    for (let i = 0; i < ROWS; i++) sum += x[i * DIMENSIONS + d]!;
    return sum / ROWS;
  });
  const scatter = means.map((_, d) =>
    means.map((_, e) => {
      let sum = 0;
      for (let i = 0; i < ROWS; i++) sum += (x[i * DIMENSIONS + d]! - means[d]!) * (x[i * DIMENSIONS + e]! - means[e]!);
      return sum;
    }),
  );
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const axes: number[][] = [];
  for (let k = 0; k < 2; k++) {
    let v = means.map((_, d) => 1 / (d + 1 + k));
    for (let round = 0; round < 500; round++) {
      v = scatter.map((row) => dot(row, v));
      for (const axis of axes) {
        const along = dot(v, axis);
        v = v.map((value, d) => value - along * axis[d]!);
      }
      const length = Math.sqrt(dot(v, v));
      v = v.map((value) => value / length);
    }
    axes.push(v);
  }
  return axes;
}

gpuTest('features are projected on their two principal axes', async (gpu) => {
  const x = features();
  const expected = principalAxes(x);
  const projection = new Projection(gpu, DIMENSIONS);
  const f = tensor(gpu, x, [ROWS, DIMENSIONS]);
  let points: Float32Array | undefined;
  // Each time it goes on from the axes that it had.
  for (let i = 0; i < 4; i++) {
    const y = tidy(() => projection.project(f));
    const [axes, at] = await Promise.all([y.axes.read(), y.points.read()]);
    y.axes.dispose();
    y.points.dispose();
    projection.follow(axes);
    points = at;
    const along = (k: number) => expected[k]!.reduce((sum, value, d) => sum + value * axes[k * DIMENSIONS + d]!, 0);
    if (i === 3) for (const k of [0, 1]) assert.ok(Math.abs(along(k)) > 0.9999, `axis ${k}: ${along(k)}`);
  }
  // Coordinates are about the features' middle, and lie along axes at right angles.
  let [sumX, sumY, both] = [0, 0, 0];
  for (let i = 0; i < ROWS; i++) {
    const [a, b] = [points![2 * i]!, points![2 * i + 1]!];
    [sumX, sumY, both] = [sumX + a, sumY + b, both + a * b];
  }
  assert.ok(Math.abs(sumX) < 0.1 && Math.abs(sumY) < 0.1 && Math.abs(both) < 1, `${sumX} ${sumY} ${both}`);
  projection.dispose();
  f.dispose();
});

gpuTest('features that are all alike lie in the middle, as numbers', async (gpu) => {
  const projection = new Projection(gpu, 8);
  const f = tensor(gpu, new Float32Array(40).fill(3), [5, 8]);
  const y = tidy(() => projection.project(f));
  assert.equal([...(await y.points.read())], new Array(10).fill(0));
  for (const thing of [y.axes, y.points, f, projection]) thing.dispose();
});

run();
