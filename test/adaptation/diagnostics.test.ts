import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { diagnoseClassWeight, fallenClasses } from '../../src/adaptation/diagnostics.ts';

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12, `${actual}`);

test('equal weights are as many classes as there are', () => {
  for (const classes of [2, 5, 31]) {
    const { effectiveClasses, entropy, collapsed } = diagnoseClassWeight(new Float32Array(classes).fill(1));
    near(effectiveClasses, classes);
    near(entropy, Math.log(classes));
    assert.is(collapsed, false);
  }
});

test('one class is a collapse, and so is almost one', () => {
  assert.equal(diagnoseClassWeight([1, 0, 0]), { effectiveClasses: 1, entropy: 0, collapsed: true });
  assert.is(diagnoseClassWeight([1, 0.1, 0.1, 0.1]).collapsed, true);
});

test('two classes always have fewer than two effective ones, so that is no collapse', () => {
  assert.is(diagnoseClassWeight([1, 0.9]).collapsed, false);
});

test('unequal weights: by the formulas', () => {
  const { effectiveClasses, entropy, collapsed } = diagnoseClassWeight([1, 0.5, 0.25, 0.25, 0]);
  near(effectiveClasses, 4 / 1.375);
  near(entropy, 0.5 * Math.log(2) + 0.25 * Math.log(4) + 0.25 * Math.log(8));
  assert.is(collapsed, false);
});

test('weights that are NaN or all zero have no diagnosis', () => {
  for (const weights of [[Number.NaN, 1], [0, 0], []]) {
    const { effectiveClasses, entropy } = diagnoseClassWeight(weights);
    assert.ok(Number.isNaN(effectiveClasses));
    assert.ok(Number.isNaN(entropy));
  }
});

test('classes that fall from 1', () => {
  assert.equal(fallenClasses([1, 1, 1, 0.99, 0], [1, 0.95, 0.89, 0.1, 1]), [2]);
  assert.throws(() => fallenClasses([1, 1], [1]), /2 weights became 1; pass two of the same classes$/);
  assert.throws(() => fallenClasses([1], Promise.resolve([0]) as never), /pass await classWeight\.read\(\)$/);
});

test('a promise of weights is refused', () => {
  assert.throws(
    () => diagnoseClassWeight(Promise.resolve([1]) as never),
    /^diagnoseClassWeight: expected numbers but got a Promise; pass await classWeight\.read\(\)$/,
  );
});

test.run();
