import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Scalar } from '../../src/gpu/scalar.ts';
import { InverseDecay } from '../../src/optim/index.ts';

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

test('a schedule that would set no number is refused', () => {
  const optimizer = { lr: new Scalar(7) };
  assert.throws(
    () => new InverseDecay(optimizer, { lr: 0.1 } as never),
    /InverseDecay: gamma and decay are missing from the options/,
  );
  assert.is(optimizer.lr.value, 7);
});

test.run();
