import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  above,
  atLeast,
  callable,
  checkOptions,
  checkValue,
  flag,
  inF32,
  nearest,
  oneOf,
  show,
  text,
  whole,
  wholeFrom,
  wholeWithin,
  within,
} from '../../src/checks/options.ts';
import { orScalar, Scalar } from '../../src/gpu/scalar.ts';

interface Options {
  lr: number;
  momentum?: number;
  weightDecay?: number;
  nesterov?: boolean;
  reduction?: string;
  size?: number;
  eps?: number;
}
const checks = {
  lr: atLeast(0),
  momentum: within(0, 1),
  weightDecay: atLeast(0),
  nesterov: flag,
  reduction: oneOf('mean', 'sum'),
  size: wholeFrom(1),
  eps: above(0),
};
const check = (given: unknown) => checkOptions<Options>('Op', given, checks, ['lr']);
const refuses = (given: unknown, message: RegExp, type: new () => Error = TypeError) =>
  assert.throws(
    () => check(given),
    (error: Error) => error instanceof type && message.test(error.message),
    `${JSON.stringify(given)} should be refused with ${message}`,
  );

test('names another library uses are refused with the name used here', () => {
  refuses({ lr: 1, weight_decay: 0 }, /^Op: unknown option weight_decay; did you mean weightDecay\?$/);
  refuses({ learningRate: 1 }, /did you mean lr\?/);
  refuses({ lr: 1, momentun: 0 }, /did you mean momentum\?/);
  refuses({ lr: 1, colour: 0 }, /unknown option colour; its options are lr, momentum/);
});

test('a value instead of the options object is suggested for an option that takes it', () => {
  const checks = { dim: wholeFrom(0), temperature: above(0) };
  const refused = (given: unknown, message: RegExp) =>
    assert.throws(() => checkOptions<{ dim?: number; temperature?: number }>('softmax', given, checks), message);
  refused(1, /such as \{ dim: 1 \}/);
  refused(0.1, /such as \{ temperature: 0.1 \}/);
});

test('names of every object are no options', () => {
  refuses({ lr: 1, constructor: 1 }, /unknown option constructor/);
  refuses(JSON.parse('{"lr": 1, "__proto__": 1}'), /unknown option __proto__/);
});

test('numbers that round to 0 or to infinity in f32 are refused', () => {
  const within = (value: unknown, { wanted, holds } = inF32(atLeast(-1))) =>
    holds(value) && /^a number >= -1 that f32/.test(wanted);
  for (const value of [0, -0, 1, -0.5, 3.4028234663852886e38, 1.1754943508222875e-38, -1e-37])
    assert.ok(within(value), `${value}`);
  for (const value of [3.41e38, 1e39, 1e-46, 1e-40, -1e-40, -2, Number.NaN, Number.POSITIVE_INFINITY, '1'])
    assert.not(within(value), `${value}`);
  assert.ok(callable.holds(() => 1));
  assert.not(callable.holds('f') || callable.holds({}));
});

test('something else than an object is refused', () => {
  refuses(0.3, /^Op: expected an options object but got 0.3; pass an object, such as \{ lr: 0.3 \}$/);
  refuses(true, /got true \(a boolean\)/);
  refuses([1], /got \[1\] \(an array\)/);
  refuses(null, /got null/);
  refuses(new Float32Array(2), /got a Float32Array/);
});

test('values are refused with their type', () => {
  refuses({ lr: '0.1' }, /^Op: lr must be a number >= 0 but is '0\.1' \(a string\)$/);
  refuses({ lr: 1, momentum: 9 }, /momentum must be a number from 0 to 1 but is 9/, RangeError);
  refuses({ lr: Number.NaN }, /lr must be a number >= 0 but is NaN/, RangeError);
  refuses({ lr: 1, nesterov: 1 }, /nesterov must be true or false but is 1/, RangeError);
  refuses({ lr: 1, reduction: 'avg' }, /reduction must be one of 'mean', 'sum' but is 'avg'/, RangeError);
  refuses({ lr: 1, size: 1.5 }, /size must be a whole number >= 1 but is 1.5/, RangeError);
  refuses({ lr: 1, eps: 0 }, /eps must be a number > 0 but is 0/, RangeError);
});

test('further kinds of values', () => {
  const value = (given: unknown, kind: typeof whole) => () => checkValue('Op', 'value', given, kind);
  for (const [given, kind] of [
    [-3, whole],
    [0, wholeWithin(-1, 1)],
    ['', text],
    [new Scalar(9), orScalar(within(0, 1))],
    [1, orScalar(within(0, 1))],
  ] as const)
    value(given, kind)();
  assert.throws(value(0.5, whole), /^Op: value must be a whole number but is 0\.5$/);
  assert.throws(value(2, wholeWithin(-1, 1)), /a whole number from -1 to 1 but is 2/);
  assert.throws(value(2, text), /must be a string but is 2/);
  assert.throws(value(2, orScalar(within(0, 1))), /a number from 0 to 1, or a Scalar but is 2/);
  assert.is(show({}), 'an Object');
  assert.is(show(new Map()), 'a Map');
});

test('missing options are named', () => {
  refuses({}, /^Op: lr is missing from the options$/);
  refuses(undefined, /^Op: expected an options object \{ lr \} but got undefined/);
});

test('what is allowed passes, absent options too', () => {
  check({ lr: 0.1, momentum: 0.9, nesterov: true, reduction: 'sum', size: 3, eps: 1e-5, weightDecay: undefined });
  checkOptions<{ a?: number }>('Op', undefined, { a: atLeast(0) });
});

test('the nearest name is the one meant', () => {
  const known = ['dim', 'keepdim', 'temperature', 'ignoreIndex', 'labelSmoothing', 'kernelSize', 'lr', 'p'];
  const meant = { axis: 'dim', keepDim: 'keepdim', ignore_index: 'ignoreIndex', label_smoothing: 'labelSmoothing' };
  for (const [name, expected] of Object.entries(meant)) assert.is(nearest(name, known), expected);
  assert.is(nearest('kernel', known), undefined);
  assert.is(nearest('foo', known), undefined);
});

test.run();
