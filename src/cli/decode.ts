import type { Decode } from '../data/readers/images.ts';
import { UsageError } from './errors.ts';

// A damaged file of a few bytes may claim any size, which would take gigabytes to decode. A file may have this many pixels, and more the
// longer it is: even a blank PNG takes about a byte for 1,000 pixels.
const FEWEST_PIXELS = 2 ** 21;
const PIXELS_PER_BYTE = 1024;
// As sharp has it.
const MOST_PIXELS = 0x3fff ** 2;

/** Returns a decoder of image files that uses sharp. @throws UsageError if sharp is not installed */
export async function sharpDecoder(): Promise<Decode> {
  const { default: sharp } = await import('sharp').catch((cause) => {
    throw new UsageError('image files need the npm package sharp, which is not installed: run `npm i sharp`', {
      cause,
    });
  });
  // Files are decoded side by side, so a thread for each is enough; and none is decoded twice.
  sharp.concurrency(1);
  sharp.cache(false);
  const fits = { crop: 'cover', fit: 'contain', fill: 'fill' } as const;
  return async (bytes, { channels, size, resize }) => {
    const limitInputPixels = Math.min(MOST_PIXELS, FEWEST_PIXELS + PIXELS_PER_BYTE * bytes.length);
    const image = sharp(bytes, { failOn: 'error', limitInputPixels }).rotate().flatten({ background: '#fff' });
    // Samples of other types, such as a TIFF's floats, have no common white. The conversion to bytes would cut them off.
    const { depth } = await image.metadata();
    if (depth !== 'uchar' && depth !== 'ushort')
      throw new Error(`its samples are of type ${depth}; save it with 8 or 16 bits per channel`);
    if (size) image.resize(size[1], size[0], { fit: fits[resize], background: '#fff' });
    if (channels === 1) image.greyscale();
    const { data, info } = await image
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    const { height, width } = info;
    if (info.channels !== channels) throw new Error(`it has ${info.channels} channels after the conversion`);
    return { data: planar(data, channels, height * width), height, width };
  };
}

/** Turns pixels one after the other into one plane per channel. */
function planar(pixels: Uint8Array, channels: number, size: number): Uint8Array {
  if (channels === 1) return pixels;
  const planes = new Uint8Array(channels * size);
  for (let c = 0; c < channels; c++) for (let i = 0; i < size; i++) planes[c * size + i] = pixels[i * channels + c]!;
  return planes;
}
