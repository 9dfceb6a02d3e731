import sharp from 'sharp';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sharpDecoder } from '../../src/cli/decode.ts';
import { readImageFiles } from '../../src/data/readers/images.ts';
import { readAll } from './inputs.ts';

// Image files get thousands of damages. Each must give an image of the right size or be refused with its name.

const decode = await sharpDecoder();
const pixels = Uint8Array.from({ length: 24 * 16 * 4 }, (_, i) => (i * 37) % 256);
const picture = () => sharp(pixels, { raw: { width: 24, height: 16, channels: 4 } });
const FILES = {
  png: [
    await picture().png().toBuffer(),
    await picture().removeAlpha().png({ palette: true, colours: 16 }).toBuffer(),
    await picture().toColourspace('rgb16').png({ progressive: true }).toBuffer(),
  ],
  jpeg: [
    await picture().jpeg().toBuffer(),
    await picture().withMetadata({ orientation: 6 }).jpeg({ progressive: true }).toBuffer(),
    await picture().greyscale().jpeg().toBuffer(),
  ],
  webp: [await picture().webp().toBuffer(), await picture().webp({ lossless: true }).toBuffer()],
};

for (const [kind, good] of Object.entries(FILES))
  for (const size of [undefined, [5, 7]] as const)
    test(`${kind}, ${size ? 'brought to a size' : 'as it is'}`, () =>
      readAll(
        `${kind} ${size ?? ''}`,
        good.map((bytes) => new Uint8Array(bytes)),
        (bytes) =>
          readImageFiles([{ name: `x.${kind}` }], {
            read: async () => bytes,
            decode,
            channels: 3,
            size,
            resize: 'crop',
          }),
        ({ images, count, channels, height, width }) => {
          assert.equal([count, channels], [1, 3]);
          assert.is(images.length, 3 * height * width);
          if (size) assert.equal([height, width], size);
        },
      ));

test.run();
