import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { randomOf } from '../../tools/fontdigits/random.mjs';
import { bounds, coverage, flatten, transform } from '../../tools/fontdigits/raster.mjs';

// Tests the committed font digits, and the parts of their script that need no fonts. The script has packages of its own and writes
// the same bytes: `cd tools/fontdigits && npm ci && node render.mjs`.

const FOLDER = 'src/data/fontdigits';
const read = (name: string): Buffer => readFileSync(join(FOLDER, name));

test('the committed files are the ones that the script wrote', () => {
  const sums = Object.fromEntries(
    readdirSync(FOLDER).map((name) => [name, createHash('sha256').update(read(name)).digest('hex').slice(0, 16)]),
  );
  assert.equal(sums, SUMS);
});

const SUMS = {
  'test-images-idx3-ubyte.gz': 'dd2bef5575126d71',
  'test-labels-idx1-ubyte.gz': 'e43bcd9f36f79255',
  'train-images-idx3-ubyte.gz': '1a9992898c62ebb6',
  'train-labels-idx1-ubyte.gz': '017966f798176686',
};

test('image i shows digit i mod 10, white on black, no two alike', () => {
  for (const [split, count] of [
    ['train', 6000],
    ['test', 1000],
  ] as const) {
    const labels = gunzipSync(read(`${split}-labels-idx1-ubyte.gz`)).subarray(8);
    assert.equal(
      [...labels],
      Array.from({ length: count }, (_, i) => i % 10),
    );
    const images = gunzipSync(read(`${split}-images-idx3-ubyte.gz`)).subarray(16);
    const seen = new Set<string>();
    for (let i = 0; i < count; i++) {
      const image = images.subarray(784 * i, 784 * (i + 1));
      const ink = image.reduce((sum, value) => sum + value, 0) / 255;
      assert.ok(ink > 10 && ink < 392, `${split} ${i}: ${ink} of 784 pixels are white`);
      seen.add(image.toString('latin1'));
    }
    assert.is(seen.size, count);
  }
});

test('at least 20 fonts, each with its license in NOTICE', () => {
  const { dependencies } = JSON.parse(readFileSync('tools/fontdigits/package.json', 'utf8'));
  const families = Object.keys(dependencies).filter((name) => name.startsWith('@fontsource/'));
  assert.ok(families.length >= 20, `${families.length}`);
  const notice = readFileSync('NOTICE', 'utf8').toLowerCase();
  const missing = families.filter((name) => !notice.includes(name.slice('@fontsource/'.length).replaceAll('-', ' ')));
  assert.equal(missing, []);
  const faces = readFileSync('tools/fontdigits/faces.mjs', 'utf8');
  assert.equal(
    families.filter((name) => !faces.includes(`['${name.slice('@fontsource/'.length)}', `)),
    [],
  );
});

const square = (x: number, y: number, size: number, clockwise = true): [number, number][] => {
  const points: [number, number][] = [
    [x, y],
    [x + size, y],
    [x + size, y + size],
    [x, y + size],
  ];
  return clockwise ? points : points.reverse();
};

test('coverage of shapes between the pixels, with holes and overlaps', () => {
  const total = (image: Float64Array): number => image.reduce((sum, share) => sum + share, 0);
  const shifted = coverage([square(1.25, 1.5, 2)], 4);
  assert.ok(Math.abs(total(shifted) - 4) < 1e-12);
  // 0.75 of the pixel's width (from 1.25), half of its height (from 1.5).
  assert.ok(Math.abs(shifted[5]! - 0.375) < 1e-12);
  assert.is(total(coverage([square(0, 0, 4), square(1, 1, 2, false)], 4)), 12);
  assert.is(total(coverage([square(0, 0, 3), square(1, 1, 3)], 4)), 14);
  assert.is(total(coverage([square(-2, -2, 4)], 4)), 4);
});

test('outlines of lines and quadratic curves', () => {
  const [points] = flatten([
    { type: 'M', x: 0, y: 0 },
    { type: 'L', x: 2, y: 0 },
    { type: 'Q', x1: 2, y1: 2, x: 0, y: 2 },
    { type: 'Z' },
  ]);
  assert.equal(
    [points![0], points![1], points![5], points!.at(-1)],
    [
      [0, 0],
      [2, 0],
      [1.5, 1.5],
      [0, 2],
    ],
  );
  assert.equal(bounds(transform([points!], [2, 0, 1], [0, -1, 0])), { x0: 1, y0: -2, x1: 5, y1: -0 });
  assert.throws(() => flatten([{ type: 'C' }]), /has a command C/);
});

test('random numbers depend only on their image', () => {
  const draw = (...words: [number, number, number, number]): number[] => {
    const { below } = randomOf(...words);
    return [below(2 ** 32), below(2 ** 32)];
  };
  assert.equal(draw(2018, 0, 3, 7), draw(2018, 0, 3, 7));
  const others = [
    draw(2018, 0, 3, 7),
    draw(2019, 0, 3, 7),
    draw(2018, 1, 3, 7),
    draw(2018, 0, 4, 7),
    draw(2018, 0, 3, 8),
  ];
  assert.is(new Set(others.flat()).size, 10);
});

test.run();
