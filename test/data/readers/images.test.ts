import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sharpDecoder } from '../../../src/cli/decode.ts';
import { DataError } from '../../../src/data/errors.ts';
import {
  imagesOfFolder,
  imagesOfList,
  type ReadImageFilesOptions,
  readImageFiles,
} from '../../../src/data/readers/images.ts';

// Real image files of each kind, made by sharp, and read as the command line reads them.

type Pixel = readonly [r: number, g: number, b: number, alpha?: number];

/** A picture of 2 x 3 pixels whose left half is one colour and whose right is another. */
const picture = (left: Pixel, right: Pixel) => {
  const channels = left.length as 3 | 4;
  const data = Uint8Array.from([left, left, right, left, left, right].flat() as number[]);
  return sharp(data, { raw: { width: 3, height: 2, channels } });
};
const RED: Pixel = [200, 10, 20];
const BLUE: Pixel = [10, 20, 200];

async function read(files: Record<string, Uint8Array>, options: Partial<ReadImageFilesOptions> = {}) {
  return readImageFiles(
    Object.keys(files).map((name) => ({ name })),
    {
      ...{ channels: 3, resize: 'crop', read: async (name) => files[name]!, decode: await sharpDecoder() },
      ...options,
    },
  );
}

const near = (actual: ArrayLike<number>, expected: readonly number[], most: number): void => {
  assert.is(actual.length, expected.length);
  for (const [i, value] of expected.entries())
    assert.ok(Math.abs(actual[i]! - value) <= most, `at ${i}: ${actual[i]}, expected ${value}`);
};
const planes = [200, 200, 10, 200, 200, 10, 10, 10, 20, 10, 10, 20, 20, 20, 200, 20, 20, 200];

test('PNG, WebP, TIFF, GIF and JPEG become planes of bytes', async () => {
  const source = picture(RED, BLUE);
  for (const [kind, bytes, most] of [
    ['png', await source.clone().png().toBuffer(), 0],
    ['webp', await source.clone().webp({ lossless: true }).toBuffer(), 0],
    ['tiff', await source.clone().tiff().toBuffer(), 90],
    ['gif', await source.clone().gif().toBuffer(), 3],
    ['jpeg', await source.clone().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(), 12],
  ] as const) {
    const { images, count, channels, height, width, names } = await read({ [`x.${kind}`]: bytes });
    assert.equal([count, channels, height, width, names], [1, 3, 2, 3, [`x.${kind}`]]);
    near(images, planes, most);
  }
});

test('EXIF orientation, transparency, 16 bits, grey and colour', async () => {
  const turned = await picture(RED, BLUE).withMetadata({ orientation: 6 }).png().toBuffer();
  const { height, width, images } = await read({ 'turned.png': turned });
  assert.equal([height, width], [3, 2]);
  near(images.subarray(0, 6), [200, 200, 200, 200, 10, 10], 0);
  const clear = await picture([...RED, 0] as unknown as Pixel, [...BLUE, 255] as unknown as Pixel)
    .png()
    .toBuffer();
  near((await read({ 'clear.png': clear })).images.subarray(0, 3), [255, 255, 10], 0);
  const deep = await picture(RED, BLUE).toColourspace('rgb16').png().toBuffer();
  near((await read({ 'deep.png': deep })).images, planes, 1);
  const grey = await sharp(Uint8Array.of(7, 80, 200, 255), { raw: { width: 2, height: 2, channels: 1 } })
    .png()
    .toBuffer();
  near((await read({ 'grey.png': grey })).images, [7, 80, 200, 255, 7, 80, 200, 255, 7, 80, 200, 255], 0);
  const whole = await read({ 'grey.png': grey }, { channels: 1 });
  assert.equal([whole.channels, [...whole.images]], [1, [7, 80, 200, 255]]);
  // Luminance, as of the sRGB primaries.
  const { images: luminance } = await read({ 'red.png': await picture(RED, RED).png().toBuffer() }, { channels: 1 });
  assert.ok(luminance[0]! > 50 && luminance[0]! < 110, `${luminance[0]}`);
});

/** A grey TIFF of 4 x 1 samples; `format` is 1 for whole numbers, 2 for those with a sign, 3 for floats. */
function tiff(samples: ArrayBufferView & { BYTES_PER_ELEMENT: number }, format: number): Uint8Array {
  const end = 8 + samples.byteLength;
  const entries = [
    ...[
      [256, 4],
      [257, 1],
      [258, 8 * samples.BYTES_PER_ELEMENT],
      [259, 1],
      [262, 1],
      [273, 8],
    ], // sizes, bits, place
    ...[
      [277, 1],
      [278, 1],
      [279, samples.byteLength],
      [339, format],
    ],
  ] as [tag: number, value: number][];
  const bytes = new Uint8Array(end + 6 + 12 * entries.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x2a4949, true);
  view.setUint32(4, end, true);
  bytes.set(new Uint8Array(samples.buffer), 8);
  view.setUint16(end, entries.length, true);
  for (const [i, [tag, value]] of entries.entries()) {
    const at = end + 2 + 12 * i;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, 4, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value, true);
  }
  return bytes;
}

test('samples that are no bytes or 16 bits without a sign are refused, as no conversion of them is right', async () => {
  const right = await read({
    a: tiff(Uint16Array.of(0, 257, 32896, 65535), 1),
    b: tiff(Uint8Array.of(0, 1, 128, 255), 1),
  });
  assert.equal([...right.images.filter((_, i) => i % 12 < 4)], [0, 1, 128, 255, 0, 1, 128, 255]);
  const floats = tiff(Float32Array.of(0, 0.25, 0.5, 1), 3);
  const refusal = (x: Uint8Array) => read({ x }).then(String, (error: Error) => error.message);
  assert.match(await refusal(floats), /^x: .*its samples are of type float; save it with 8 or 16 bits/);
  for (const wrong of [tiff(Uint32Array.of(0, 2 ** 31, 1, 2 ** 32 - 1), 1), tiff(Int16Array.of(0, 1, 2, 32767), 2)])
    assert.match(await refusal(wrong), /its samples are of type (uint|short)/);
});

test('images are brought to one size: cropped, fitted on white, or stretched', async () => {
  const wide = await picture(RED, BLUE).resize(30, 20, { kernel: 'nearest' }).png().toBuffer();
  const left = { crop: 200, fit: 255, fill: 200 };
  for (const [resize, first] of Object.entries(left) as ['crop' | 'fit' | 'fill', number][]) {
    const { images, height, width } = await read({ 'wide.png': wide }, { resize, size: [12, 12] });
    assert.equal([height, width], [12, 12]);
    near(images.subarray(0, 1), [first], 3);
  }
});

test('a file that is no image stops with its name, or is left out', async () => {
  const good = await picture(RED, BLUE).png().toBuffer();
  const jpeg = await picture(RED, BLUE).resize(64, 64).jpeg().toBuffer();
  const files = {
    'a.png': good,
    'notes.png': new TextEncoder().encode('not an image'),
    'cut.jpg': jpeg.subarray(0, jpeg.length / 2),
    'empty.png': new Uint8Array(),
    'häß lich✓.png': good,
  };
  for (const name of ['notes.png', 'cut.jpg', 'empty.png'] as const) {
    const error = await read({ [name]: files[name] }).catch((e) => e);
    assert.instance(error, DataError);
    assert.match(error.message, new RegExp(`^${name}: .*expected an image but found what cannot be decoded`));
  }
  const skipped: string[] = [];
  const read5 = await read(files, { onUnreadable: ({ file }) => skipped.push(file) });
  assert.equal(skipped.sort(), ['cut.jpg', 'empty.png', 'notes.png']);
  assert.equal([read5.count, read5.names, read5.images.length], [2, ['a.png', 'häß lich✓.png'], 36]);
  near(read5.images.subarray(18), planes, 0);
  const other = await read({ 'a.png': good, 'b.jpg': jpeg }).catch((e) => e);
  assert.match(other.message, /an image of (2x3|64x64), as [ab].* is but found one of .*--image-size/);
  const none = await read({ 'empty.png': new Uint8Array() }, { onUnreadable() {} }).catch((e) => e);
  assert.match(none.message, /an image that can be decoded but found none/);
});

test('a small file that claims a huge size is refused before it is decoded, and a large blank image is not', async () => {
  const jpeg = await picture(RED, BLUE).jpeg().toBuffer();
  // The height and the width follow the marker of the frame.
  const at = jpeg.indexOf(Buffer.of(0xff, 0xc0));
  jpeg.writeUInt16BE(16_000, at + 5);
  jpeg.writeUInt16BE(16_000, at + 7);
  const error = await read({ 'x.jpg': jpeg }).catch((e) => e);
  assert.match(error.message, /cannot be decoded \(Input image exceeds pixel limit/);
  const blank = { width: 2000, height: 1200, channels: 3, background: '#fff' } as const;
  const { count } = await read({ 'x.png': await sharp({ create: blank }).png().toBuffer() }, { size: [2, 2] });
  assert.is(count, 1);
});

test('folders and lists name the classes', () => {
  assert.equal(
    imagesOfFolder('d', ['dog/b.JPG', 'cat/x/1.png', 'cat', 'README.md', '.hidden/x.png', 'dog/Thumbs.db']),
    [
      { name: 'cat/x/1.png', label: 'cat' },
      { name: 'dog/b.JPG', label: 'dog' },
    ],
  );
  assert.equal(imagesOfFolder('d', ['2.png', '1.png']), [{ name: '1.png' }, { name: '2.png' }]);
  assert.throws(() => imagesOfFolder('d', []), /^d: .*images, or a folder of images per class but found nothing/);
  assert.throws(() => imagesOfFolder('d', ['a.txt']), /but found 1 other files/);
  assert.throws(() => imagesOfFolder('d', ['a.png', 'c/b.png']), /both, such as a\.png and c\/b\.png/);
  const list = (text: string) => imagesOfList({ file: 'l', bytes: new TextEncoder().encode(text) });
  assert.equal(list('a b.png 3\r\nsub/c.png 0\n\n'), [
    { name: 'a b.png', label: '3' },
    { name: 'sub/c.png', label: '0' },
  ]);
  assert.throws(() => list('a.png\n'), /a path and a label on each line but found 'a\.png' in line 1/);
  assert.throws(() => list(''), /found nothing/);
});

test('a list that is not UTF-8 is refused with the place of the byte', () => {
  const latin = (text: string) => imagesOfList({ file: 'l', bytes: Uint8Array.from(Buffer.from(text, 'latin1')) });
  assert.throws(
    () => latin('a.png 0\nä.png 1'),
    (error: Error) => {
      assert.instance(error, DataError);
      assert.is(
        error.message,
        'l: at byte 8 expected an image list in UTF-8 but found the byte 0xe4; save the file as UTF-8',
      );
      return true;
    },
  );
  // The byte order mark of UTF-16, and the one of UTF-8, which is allowed.
  assert.throws(() => latin('\xff\xfea\0'), /at byte 0 .* found the byte 0xff/);
  assert.throws(() => latin('\xef\xbb\xbfa.png 0 \xc3'), /at byte 11 .* found the byte 0xc3/);
  assert.equal(latin('\xef\xbb\xbf\xc3\xa4.png 0'), [{ name: 'ä.png', label: '0' }]);
});

test('a file that cannot be opened stops with its reason, or is left out', async () => {
  const good = await picture(RED, BLUE).png().toBuffer();
  let reads = 0;
  const refusing = async (name: string): Promise<Uint8Array> => {
    reads++;
    if (name !== 'locked.png') return good;
    throw new RangeError('locked.png: permission denied');
  };
  const files = { 'locked.png': good, ...Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.png`, good])) };
  const error = await read(files, { read: refusing }).catch((e) => e);
  assert.equal([error.name, error.message], ['RangeError', 'locked.png: permission denied']);
  // It stops soon.
  assert.ok(reads < 30, `${reads} files were read`);
  const skipped: DataError[] = [];
  const rest = await read(files, { read: refusing, onUnreadable: (error) => skipped.push(error) });
  assert.is(rest.count, 40);
  assert.equal(
    [skipped.length, skipped[0]!.file, skipped[0]!.found],
    [1, 'locked.png', 'locked.png: permission denied'],
  );
});

test.run();
