import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Random } from '../src/random.ts';

test('the same seed gives the same numbers, another one others', () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 5 }, () => random.next());
  };
  assert.equal(draw(7), draw(7));
  for (const seed of [8, 7 + 2 ** 32, 2 ** 53 - 1]) assert.not.equal(draw(7), draw(seed));
});

test('the numbers are those of PractRand sfc32', () => {
  // The generator in 64-bit arithmetic, as its reference is written.
  const mask = (1n << 32n) - 1n;
  let [a, b, c, counter] = [42n, 0n, 0n, 1n];
  const reference = () => {
    const sum = (a + b + counter) & mask;
    counter = (counter + 1n) & mask;
    a = b ^ (b >> 9n);
    b = (c + (c << 3n)) & mask;
    c = ((((c << 21n) | (c >> 11n)) & mask) + sum) & mask;
    return Number(sum);
  };
  for (let i = 0; i < 15; i++) reference();
  const random = new Random(42);
  for (let i = 0; i < 1000; i++) assert.is(random.next(), reference());
});

test('a state continues where it was taken', () => {
  const random = new Random(1);
  random.next();
  const { state } = random;
  const expected = [random.next(), random.next()];
  random.state = state;
  assert.equal([random.next(), random.next()], expected);
});

test('integers and uniforms are spread evenly', () => {
  const random = new Random(3);
  const counts = new Array(7).fill(0);
  let sum = 0;
  for (let i = 0; i < 70_000; i++) {
    counts[random.integer(7)]++;
    sum += random.uniform();
  }
  // Six standard deviations of each.
  for (const count of counts) assert.ok(Math.abs(count - 10_000) < 6 * Math.sqrt(10_000 * (6 / 7)), `${counts}`);
  assert.ok(Math.abs(sum / 70_000 - 0.5) < 6 * Math.sqrt(1 / 12 / 70_000));
});

test('a permutation holds every number once, and each in any place', () => {
  const random = new Random(5);
  assert.equal(
    [...random.permutation(100)].sort((x, y) => x - y),
    Array.from({ length: 100 }, (_, i) => i),
  );
  const first = new Set(Array.from({ length: 200 }, () => random.permutation(5)[0]));
  assert.is(first.size, 5);
  assert.equal([...random.permutation(1)], [0]);
  assert.is(random.permutation(0).length, 0);
});

test('what is no seed or range is refused', () => {
  for (const seed of [-1, 1.5, Number.NaN, 2 ** 53])
    assert.throws(() => new Random(seed), /seed must be a whole number >= 0/);
  for (const n of [0, -1, 1.5, 2 ** 32 + 1])
    assert.throws(() => new Random(1).integer(n), /n must be a whole number from 1 to 4294967296 but is/);
  for (const n of [-1, 1.5, Number.NaN])
    assert.throws(() => new Random(1).permutation(n), /permutation: n must be a whole number >= 0 but is/);
  assert.throws(() => new Random('1' as unknown as number), /seed must be a whole number >= 0 but is '1' \(a string\)/);
  assert.equal(new Random(1).permutation(0), new Uint32Array());
});

test.run();
