import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Scalar } from '../../src/gpu/scalar.ts';
import { CosineAnnealingLR, InverseDecay, LinearLR, SequentialLR } from '../../src/optim/index.ts';

test('the learning rate falls with the inverse of the iteration, counted or set', () => {
  const optimizer = { lr: new Scalar(7) };
  const schedule = new InverseDecay(optimizer, { lr: 0.02, gamma: 0.5, decay: 2 });
  assert.is(optimizer.lr.value, 0.02, 'iteration 0');
  schedule.step();
  schedule.step();
  assert.is(schedule.iteration, 2);
  assert.is(optimizer.lr.value, 0.02 / 4);
  schedule.iteration = 6;
  assert.is(optimizer.lr.value, 0.02 / 16);
});

const follow = (lr: Scalar, schedule: { step(): void }, steps: number): number[] => {
  const seen = [lr.value];
  for (let i = 0; i < steps; i++) {
    schedule.step();
    seen.push(lr.value);
  }
  return seen;
};
const close = (seen: number[], expected: number[]) => {
  for (const [i, lr] of expected.entries())
    assert.ok(Math.abs(seen[i]! - lr) < 1e-12, `iteration ${i}: ${seen[i]}, expected ${lr}`);
};

test('cosine annealing halves the learning rate half way, and rises after the end', () => {
  const optimizer = { lr: new Scalar(7) };
  const schedule = new CosineAnnealingLR(optimizer, { lr: 0.5, tMax: 4, etaMin: 0.1 });
  const quarter = 0.3 + 0.2 * Math.SQRT1_2;
  close(follow(optimizer.lr, schedule, 8), [0.5, quarter, 0.3, 0.6 - quarter, 0.1, 0.6 - quarter, 0.3, quarter, 0.5]);
});

test('a linear warm-up starts at a third and ends after five iterations, as in PyTorch', () => {
  const optimizer = { lr: new Scalar(7) };
  close(follow(optimizer.lr, new LinearLR(optimizer, { lr: 0.3 }), 7), [0.1, 0.14, 0.18, 0.22, 0.26, 0.3, 0.3, 0.3]);
  const down = new LinearLR(optimizer, { lr: 1, startFactor: 1, endFactor: 0, totalIters: 2 });
  close(follow(optimizer.lr, down, 3), [1, 0.5, 0, 0]);
});

test('schedules follow each other, also when the iteration is set', () => {
  const optimizer = { lr: new Scalar(7) };
  const schedule = new SequentialLR(
    [
      new LinearLR(optimizer, { lr: 1, startFactor: 0.5, totalIters: 2 }),
      new CosineAnnealingLR(optimizer, { lr: 1, tMax: 2 }),
    ],
    [2],
  );
  close(follow(optimizer.lr, schedule, 4), [0.5, 0.75, 1, 0.5, 0]);
  schedule.iteration = 1;
  assert.is(optimizer.lr.value, 0.75);
  for (const milestones of [[], [0], [2, 1], [1.5]])
    assert.throws(
      () => new SequentialLR([schedule, schedule], milestones),
      /SequentialLR: 2 schedules need 1 milestones/,
    );
});

test('a schedule that would set no number is refused', () => {
  const optimizer = { lr: new Scalar(7) };
  assert.throws(
    () => new InverseDecay(optimizer, { lr: 0.1 } as never),
    /InverseDecay: gamma and decay are missing from the options/,
  );
  assert.is(optimizer.lr.value, 7);
  assert.throws(
    () => new CosineAnnealingLR(optimizer, { lr: 1, tMax: 0 }),
    /CosineAnnealingLR: tMax must be a whole number >= 1/,
  );
  assert.throws(() => new LinearLR(optimizer, { lr: 1, startFactor: 0 }), /LinearLR: startFactor must be a number > 0/);
  assert.throws(() => new LinearLR({} as never, { lr: 1 }), /LinearLR: optimizer must be an optimiser/);
});

test.run();
