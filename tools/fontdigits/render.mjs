// Renders `fontdigits`: the digits of open fonts as 28x28 images in MNIST's format, the same bits every time.
//
//   cd tools/fontdigits && npm ci && node render.mjs          (writes src/data/fontdigits)
//   node render.mjs --out DIR --seed 7                        (other samples of the same digits)
//
// Digits are white on black. Image i shows digit i mod 10, so the first N images hold all classes equally often. Both splits use the
// same faces with different jitter. The jitter is affine and as wide as that of handwriting:
//
//   height   15.2 to 22.8 pixels for a digit of the face's median height (in MNIST nearly all are 20)
//   width    0.9 to 1.1 of the face's
//   slant    x -= k y, k from -0.2 to 0.5 (MNIST: 80 % from -0.2 to 0.5, median 0.14)
//   turn     up to 0.2 radian in either direction
//   place    the centre of the box, up to 2 pixels from the centre of the image
//
// MNIST fits every digit into 20x20 and centres it by mass. With that, adaptation confused 2 with 7 in half of the runs: varying
// sizes and places make the classifier look at shapes.

import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'fflate';
import { FACES, loadDigits } from './faces.mjs';
import { randomOf } from './random.mjs';
import { bounds, coverage, transform } from './raster.mjs';

const SIZE = 28;
const HEIGHT = 19;
const SPLITS = [
  { name: 'train', perClass: 600 },
  { name: 'test', perClass: 100 },
];

/** Returns the matrix that slants, widens and turns. With t = tan(angle / 2), cos and sin are quotients of polynomials. */
function jitter(random) {
  const t = random.between(-0.1, 0.1);
  const [cos, sin] = [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)];
  const slant = random.between(-0.2, 0.5);
  const width = random.between(0.9, 1.1);
  const scale = HEIGHT * random.between(0.8, 1.2);
  return [
    [scale * cos * width, scale * (-cos * slant - sin)],
    [scale * sin * width, scale * (-sin * slant + cos)],
  ];
}

/** Draws one image: bytes, row by row. */
function draw(faces, random, digit) {
  const outline = faces[random.below(faces.length)][digit];
  const [[a, b], [c, d]] = jitter(random);
  const shape = transform(outline, [a, b, 0], [c, d, 0]);
  const box = bounds(shape);
  const middle = (low, high) => SIZE / 2 - (low + high) / 2 + random.between(-2, 2);
  const placed = transform(shape, [1, 0, middle(box.x0, box.x1)], [0, 1, middle(box.y0, box.y1)]);
  return Uint8Array.from(coverage(placed, SIZE), (share) => Math.floor(255 * Math.min(share, 1) + 0.5));
}

/** Encodes the IDX format: magic number (0, 0, 8 for bytes, rank), sizes, bytes. */
function idx(shape, data) {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x800 + shape.length);
  for (const [i, size] of shape.entries()) view.setUint32(4 + 4 * i, size);
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

export function render(seed) {
  const faces = FACES.map(loadDigits);
  return SPLITS.flatMap(({ name, perClass }, split) => {
    const count = 10 * perClass;
    const labels = Uint8Array.from({ length: count }, (_, i) => i % 10);
    const images = new Uint8Array(count * SIZE * SIZE);
    for (const [i, digit] of labels.entries()) {
      images.set(draw(faces, randomOf(seed, split, digit, i), digit), i * SIZE * SIZE);
    }
    return [
      { file: `${name}-images-idx3-ubyte.gz`, bytes: idx([count, SIZE, SIZE], images) },
      { file: `${name}-labels-idx1-ubyte.gz`, bytes: idx([count], labels) },
    ];
  });
}

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: fileURLToPath(new URL('../../src/data/fontdigits/', import.meta.url)) },
    seed: { type: 'string', default: '2018' },
  },
});
mkdirSync(values.out, { recursive: true });
for (const { file, bytes } of render(Number(values.seed))) {
  // Compressed in JavaScript and without a time stamp, because zlib's bytes differ between versions and processors.
  const packed = gzipSync(bytes, { level: 9, mtime: 0 });
  writeFileSync(`${values.out}/${file}`, packed);
  console.log(`${file}: ${bytes.length} bytes, ${packed.length} packed`);
}
