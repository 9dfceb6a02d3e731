// Renders the emoji of two vendors as 32x32 colour images: IDX files [n, 3, 32, 32] of bytes, and labels [n]. The source is
// Twitter's Twemoji on white, all 12 classes. The target is Google's Noto on light tints, the first 5 of the 12.
//
//   npm ci; cd tools/emoji && npm install && node render.mjs [OUT]          (default: src/data/emoji)
//
// Everything is seeded: the same packages give the same bytes, and each image can be drawn without the others.
// A family is one emoji in all its skin tones, genders and directions, and all emoji that either vendor draws with the same pixels,
// such as the flags of France and Saint Martin. A family is in train or in test, never in both, and in the same for both vendors.

import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';

const SEED = 20;
const SIZE = 32;
// The side of the vendors' pictures.
const SIDE = 64;
const TEST_SHARE = 0.3;
// The mean over 3 x 3 places makes a pixel.
const SUBSAMPLES = 3;
// Amounts of jitter, uniform in [-v, v]: degrees, shares, and pixels.
const JITTER = { rotate: 12, scale: 0.12, shear: 0.08, shift: 2 };

// Subcategories of emoji.json that make a class, and the short names that are left out.
const CLASSES = {
  face: { sub: /^face-/, not: /^(hankey|space_invader|skull_and_crossbones|ghost)$/ },
  hand: { sub: /^(hands|hand-fingers|hand-single|hand-prop)/, not: /^(selfie|middle_finger)$/ },
  animal: { sub: /^animal-/, not: /^(feet|feather|wing|spider_web|microbe|pig_nose|coral|shell|phoenix)$/ },
  plant: { sub: /^(plant-|food-fruit|food-vegetable)/, not: /nest/ },
  vehicle: {
    sub: /^transport-(ground|air|water)$/,
    not: /^(busstop|motorway|railway_track|oil_drum|fuelpump|wheel|rotating_light|traffic_light|vertical_traffic_light|octagonal_sign|construction|parachute|seat|anchor|ring_buoy|satellite)$/,
  },
  person: { sub: /^(person|person-gesture|person-role)$/ },
  activity: { sub: /^(person-sport|person-activity)$/, not: /massage|haircut|wrestl|bunny|steamy|suit_lev|^dancers$/ },
  place: {
    sub: /^place-(building|other|geographic|religious)$/,
    not: /^(building_construction|bricks|rock|wood|hotsprings|carousel_horse|playground_slide|barber)$/,
  },
  clothing: { sub: /^clothing$/, not: /^(hair_pick|prayer_beads|lipstick|ring|gem|folding_hand_fan)$/ },
  sky: { sub: /^sky & weather$/, not: /^(thermometer|closed_umbrella|umbrella|umbrella_on_ground|fire)$/ },
  flag: { sub: /^(country-flag|subdivision-flag)$/ },
  sign: { sub: /^(arrow|av-symbol|religion|zodiac|keycap|transport-sign|alphanum)$/ },
};
const NAMES = Object.keys(CLASSES);

const require = createRequire(import.meta.url);
const packageFolder = (name) => dirname(require.resolve(`${name}/package.json`));
const VENDORS = {
  twemoji: {
    pictures: join(packageFolder('emoji-datasource-twitter'), 'img/twitter/64'),
    classes: NAMES,
    perClass: { train: 150, test: 30 },
    background: () => [255, 255, 255],
  },
  noto: {
    pictures: join(packageFolder('emoji-datasource-google'), 'img/google/64'),
    classes: NAMES.slice(0, 5),
    perClass: { train: 200, test: 120 },
    background: (random) => hsl(random(), 0.4 + 0.5 * random(), 0.84 + 0.12 * random()),
  },
};

const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** The generator mulberry32, seeded by a text. */
function randomOf(text) {
  let state = sha256(text).readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled(list, random) {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [result[i], result[j]] = [result[j], result[i]];
  }
  return result;
}

function hsl(h, s, l) {
  return [0, 8, 4].map((n) => {
    const k = (n + h * 12) % 12;
    return 255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  });
}

const glyphs = new Map();

/** Returns a vendor's picture: premultiplied RGBA [64, 64, 4]. */
async function glyphOf(vendor, name) {
  const path = join(VENDORS[vendor].pictures, name);
  if (!glyphs.has(path)) {
    const bytes = await sharp(path).toColourspace('srgb').ensureAlpha().raw().toBuffer();
    if (bytes.length !== SIDE * SIDE * 4) throw new Error(`${path}: expected ${SIDE}x${SIDE} pixels`);
    glyphs.set(
      path,
      Float32Array.from(bytes, (v, i) => (i % 4 === 3 ? v : (v * bytes[i | 3]) / 255)),
    );
  }
  return glyphs.get(path);
}

/** Draws a glyph, turned, scaled, slanted and shifted at random, on a colour. Writes [3, 32, 32] bytes. */
function draw(glyph, random, colour, out) {
  const amount = (v) => (2 * random() - 1) * v;
  const angle = (amount(JITTER.rotate) * Math.PI) / 180;
  const [width, height] = [1 + amount(JITTER.scale), 1 + amount(JITTER.scale)];
  const [shear, right, down] = [amount(JITTER.shear), amount(JITTER.shift), amount(JITTER.shift)];
  const [cos, sin, zoom] = [Math.cos(angle), Math.sin(angle), SIDE / SIZE];
  // The inverse of the jitter's matrix: from a place in the image to one in the glyph.
  const matrix = [(cos / width) * zoom, ((sin + shear) / width) * zoom, (-sin / height) * zoom, (cos / height) * zoom];
  const area = SIZE * SIZE;
  for (let at = 0; at < area; at++) {
    const sum = [0, 0, 0, 0];
    for (let n = 0; n < SUBSAMPLES ** 2; n++) {
      const dx = (at % SIZE) + ((n % SUBSAMPLES) + 0.5) / SUBSAMPLES - SIZE / 2 - right;
      const dy = Math.floor(at / SIZE) + (Math.floor(n / SUBSAMPLES) + 0.5) / SUBSAMPLES - SIZE / 2 - down;
      addBilinear(sum, glyph, matrix[0] * dx + matrix[1] * dy + 31.5, matrix[2] * dx + matrix[3] * dy + 31.5);
    }
    const [r, g, b, alpha] = sum.map((v) => v / SUBSAMPLES ** 2);
    for (const [c, v] of [r, g, b].entries())
      out[c * area + at] = Math.round(Math.min(255, v + colour[c] * (1 - alpha / 255)));
  }
}

/** Adds the glyph's value at a place between its pixels; outside it is transparent. */
function addBilinear(sum, glyph, x, y) {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  for (const [i, j] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ]) {
    const [column, row] = [left + i, top + j];
    if (Math.min(column, row) < 0 || Math.max(column, row) >= SIDE) continue;
    const weight = (i ? x - left : 1 - (x - left)) * (j ? y - top : 1 - (y - top));
    for (let c = 0; c < 4; c++) sum[c] += weight * glyph[(row * SIDE + column) * 4 + c];
  }
}

const drawnByBoth = ({ has_img_twitter, has_img_google }) => has_img_twitter && has_img_google;
const emoji = require('emoji-datasource-twitter/emoji.json')
  .filter(drawnByBoth)
  .sort((a, b) => a.sort_order - b.sort_order);

/** Returns a class's families, each as the names of its pictures. */
async function familiesOf({ sub, not }) {
  const members = emoji.filter((one) => sub.test(one.subcategory) && !one.short_names.some((name) => not?.test(name)));
  // Emoji with a key in common are of one family, which its root stands for.
  const parents = new Map(members.map((one) => [one, one]));
  const rootOf = (one) => (parents.get(one) === one ? one : rootOf(parents.get(one)));
  const firsts = new Map();
  for (const one of members)
    for (const key of await keysOf(one)) {
      if (firsts.has(key)) parents.set(rootOf(one), rootOf(firsts.get(key)));
      else firsts.set(key, one);
    }
  const families = new Map();
  for (const one of members) families.set(rootOf(one), [...(families.get(rootOf(one)) ?? []), ...picturesOf(one)]);
  return [...families.values()];
}

/** The code points without gender and direction, and the pixels of both vendors. */
async function keysOf({ unified, image }) {
  const base = unified
    .replace(/^(1F468|1F469|1F9D1)(?=-200D)/, 'P')
    .replace(/-200D-(2640|2642|27A1)-FE0F/g, '')
    .replace(/-FE0F/g, '');
  const pixels = Object.keys(VENDORS).map(
    async (vendor) => vendor + sha256(await glyphOf(vendor, image)).toString('hex'),
  );
  return [base, ...(await Promise.all(pixels))];
}

/** An emoji's picture and those of its skin tones, without pairs of two tones. */
const picturesOf = ({ image, skin_variations = {} }) => [
  image,
  ...Object.values(skin_variations)
    .filter((one) => drawnByBoth(one) && !/1F3F[B-F].*1F3F[B-F]/.test(one.unified))
    .map((one) => one.image),
];

/** Returns the families of each class in train and in test. */
async function splitFamilies() {
  const split = {};
  for (const name of NAMES) {
    const all = shuffled(await familiesOf(CLASSES[name]), randomOf(`split ${SEED} ${name}`));
    const cut = Math.round(all.length * TEST_SHARE);
    split[name] = { test: all.slice(0, cut), train: all.slice(cut) };
  }
  return split;
}

/** Draws the images of a vendor's train or test set, sorted by class. */
async function render(vendor, part, split) {
  const { classes, perClass, background } = VENDORS[vendor];
  const bytes = 3 * SIZE * SIZE;
  const count = perClass[part] * classes.length;
  const images = Buffer.alloc(count * bytes);
  const labels = Buffer.alloc(count);
  for (const [label, name] of classes.entries()) {
    const order = randomOf(`order ${SEED} ${vendor} ${part} ${name}`);
    let queue = [];
    for (let i = 0; i < perClass[part]; i++) {
      // Every family once, in a new order, before any comes again.
      if (queue.length === 0) queue = shuffled(split[name][part], order);
      const family = queue.pop();
      const random = randomOf(`image ${SEED} ${vendor} ${part} ${name} ${i}`);
      const glyph = await glyphOf(vendor, family[Math.floor(random() * family.length)]);
      const at = label * perClass[part] + i;
      const colour = background(random);
      draw(glyph, random, colour, images.subarray(at * bytes, (at + 1) * bytes));
      labels[at] = label;
    }
  }
  return [
    { file: `${vendor}-${part}-images-idx4-ubyte.gz`, shape: [count, 3, SIZE, SIZE], data: images },
    { file: `${vendor}-${part}-labels-idx1-ubyte.gz`, shape: [count], data: labels },
  ];
}

/** Encodes the IDX format, compressed: magic number (0, 0, 8 for bytes, rank), sizes, bytes. */
function packedIdx(shape, data) {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x800 + shape.length);
  for (const [i, size] of shape.entries()) header.writeUInt32BE(size, 4 + 4 * i);
  const packed = gzipSync(Buffer.concat([header, data]), { level: 9 });
  // The operating system, which is no part of the data.
  packed[9] = 255;
  return packed;
}

const [out = fileURLToPath(new URL('../../src/data/emoji', import.meta.url))] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
const split = await splitFamilies();
const sums = [];
for (const vendor of Object.keys(VENDORS))
  for (const part of ['train', 'test'])
    for (const { file, shape, data } of await render(vendor, part, split)) {
      const packed = packedIdx(shape, data);
      writeFileSync(join(out, file), packed);
      sums.push({ file, line: `${sha256(packed).toString('hex')}  ${file}\n` });
      console.log(`${file}: ${packed.length} bytes`);
    }
sums.sort((a, b) => (a.file < b.file ? -1 : 1));
writeFileSync(join(out, 'SHA256SUMS'), sums.map(({ line }) => line).join(''));
