import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { HostImages } from '../../src/data/host.ts';
import { limit, parseClasses, selectClasses } from '../../src/data/subset.ts';

const digits: HostImages = {
  images: Uint8Array.of(10, 11, 20, 21, 30, 31, 40, 41, 50, 51),
  labels: Uint8Array.of(3, 0, 3, 7, 1),
  count: 5,
  height: 1,
  width: 2,
};
const { labels: _, ...unlabelled } = digits;

test('classes are listed one by one or from first to last', () => {
  assert.equal(parseClasses('0-4'), [0, 1, 2, 3, 4]);
  assert.equal(parseClasses('0,3,7'), [0, 3, 7]);
  assert.equal(parseClasses('7, 0-2 ,1'), [0, 1, 2, 7]);
  assert.equal(parseClasses('5'), [5]);
  assert.equal(parseClasses('255'), [255]);
});

test('what lists no classes is refused', () => {
  for (const text of ['', ',', '1,', '-1', '1-', '1-2-3', 'a-b', '0x1', '1.5', '1e1', ' ', '1 2', '１'])
    assert.throws(() => parseClasses(text), /is no class; write numbers and ranges, such as 0-4 or 0,3,7/, text);
  assert.throws(() => parseClasses('4-0'), /the range 4-0 runs backwards; write 0-4/);
  assert.throws(() => parseClasses('0-999999999'), /classes are at most 99999, but '0-999999999' has 999999999/);
});

test('the images of some classes, in their order, with their labels', () => {
  assert.equal(selectClasses(digits, [7, 3]), {
    images: Uint8Array.of(10, 11, 30, 31, 40, 41),
    labels: Uint32Array.of(3, 3, 7),
    count: 3,
    height: 1,
    width: 2,
  });
  assert.equal(digits.count, 5);
});

test('colour images, vectors and names are chosen as images are', () => {
  const colour = {
    ...digits,
    channels: 3,
    count: 5,
    height: 1,
    width: 1,
    images: Uint8Array.from({ length: 15 }, (_, i) => i),
  };
  assert.equal([...selectClasses(colour, [7]).images], [9, 10, 11]);
  const vectors = {
    features: Float32Array.from({ length: 10 }, (_, i) => i),
    dim: 2,
    count: 5,
    labels: digits.labels!,
    names: ['a', 'b', 'c', 'd', 'e'],
  };
  const chosen = selectClasses(vectors, [3]);
  assert.equal([[...chosen.features], chosen.names, chosen.count], [[0, 1, 4, 5], ['a', 'c'], 2]);
  assert.equal(limit(vectors, 1).names, ['a']);
});

test('no labels to choose by, and none left of all', () => {
  assert.throws(() => selectClasses(unlabelled, [0]), /have no labels to choose classes by/);
  assert.throws(() => selectClasses(digits, [4, 5]), /none of 5 images is of class 4 or 5/);
});

test('what is no set of images, or no choice, is refused', () => {
  for (const classes of ['0-4', '3', 3, ['3', '7'], [3, '7'], [0.5], [-1], new Set([3]), undefined])
    assert.throws(
      () => selectClasses(digits, classes as never),
      /selectClasses: classes must be an array of classes, such as \[0, 1\] or parseClasses\('0-1'\) but is/,
    );
  assert.throws(
    () => selectClasses({ ...digits, labels: Uint8Array.of(1) }, [1]),
    /selectClasses: 5 images but 1 labels/,
  );
  assert.throws(
    () => selectClasses({ ...digits, images: Int8Array.of(1) as never }, [1]),
    /images must be a Uint8Array/,
  );
  assert.throws(() => limit({ ...digits, width: 3 }, 1), /limit: 5 images of 1x3 take 15 bytes/);
  for (const n of [0, -1, 1.5, Number.NaN, '2', undefined])
    assert.throws(() => limit(digits, n as never), /limit: n must be a whole number >= 1 but is/);
});

test('the first n, labelled or not, and never more than there are', () => {
  assert.equal(limit(digits, 2), {
    images: Uint8Array.of(10, 11, 20, 21),
    labels: Uint8Array.of(3, 0),
    count: 2,
    height: 1,
    width: 2,
  });
  assert.equal(limit(unlabelled, 1), { images: Uint8Array.of(10, 11), count: 1, height: 1, width: 2 });
  assert.equal(limit(digits, 100), digits);
});

test.run();
