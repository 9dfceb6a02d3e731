import type { Decode, DecodedImage, Resize } from '../../../src/data/readers/images.ts';

/**
 * Decodes an image file with the browser, by the rules of the command line (src/cli/decode.ts): first frame, EXIF orientation applied,
 * transparency over white, 8-bit grey or RGB.
 */
export const decodeInBrowser: Decode = async (bytes, { channels, size, resize }) => {
  if (bytes.length === 0) throw new Error('it is empty, or the browser may not read it');
  const image = await createImageBitmap(new Blob([bytes as Uint8Array<ArrayBuffer>]));
  try {
    const [height, width] = size ?? [image.height, image.width];
    const canvas = new OffscreenCanvas(width, height);
    const pen = canvas.getContext('2d', { willReadFrequently: true })!;
    pen.fillStyle = '#fff';
    pen.fillRect(0, 0, width, height);
    const { from, to } = place(image, { height, width, resize });
    // Unlike a canvas, this filters well when it makes an image much smaller.
    const small = await createImageBitmap(image, from.x, from.y, from.width, from.height, {
      ...{ resizeWidth: to.width, resizeHeight: to.height, resizeQuality: 'high' },
    });
    pen.drawImage(small, to.x, to.y, to.width, to.height);
    small.close();
    return { data: planar(pen.getImageData(0, 0, width, height).data, channels), height, width };
  } finally {
    image.close();
  }
};

interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

interface Size {
  height: number;
  width: number;
}

/**
 * Returns which part of an image goes where, in pixels: `crop` leaves out its margins, `fit` leaves margins, which sharp rounds the same,
 * `fill` stretches it.
 */
export function place(image: Size, { resize, ...size }: Size & { resize: Resize }): { from: Box; to: Box } {
  const whole = ({ height, width }: Size): Box => ({ x: 0, y: 0, height, width });
  const middle = (of: Size, { height, width }: Size): Box => ({
    ...{ x: (of.width - width) / 2, y: (of.height - height) / 2 },
    ...{ height, width },
  });
  const scales = [size.width / image.width, size.height / image.height];
  if (resize === 'fill') return { from: whole(image), to: whole(size) };
  if (resize === 'crop') {
    const scale = Math.max(...scales);
    const part = { height: size.height / scale, width: size.width / scale };
    return { from: middle(image, part), to: whole(size) };
  }
  const scale = Math.min(...scales);
  const [height, width] = [image.height, image.width].map((side) => Math.max(1, Math.round(side * scale)));
  const { x, y, ...rest } = middle(size, { height: height!, width: width! });
  return { from: whole(image), to: { x: Math.floor(x), y: Math.floor(y), ...rest } };
}

/** Turns RGBA pixels into one plane per channel. */
export function planar(pixels: Uint8ClampedArray, channels: 1 | 3): DecodedImage['data'] {
  const size = pixels.length / 4;
  const planes = new Uint8Array(channels * size);
  for (let i = 0; i < size; i++) {
    if (channels === 1) planes[i] = grey(pixels[4 * i]!, pixels[4 * i + 1]!, pixels[4 * i + 2]!);
    else for (let c = 0; c < 3; c++) planes[c * size + i] = pixels[4 * i + c]!;
  }
  return planes;
}

// Light is added before the gamma of sRGB, as sharp does.
const LINEAR = Float64Array.from({ length: 256 }, (_, byte) => {
  const value = byte / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
});

function grey(red: number, green: number, blue: number): number {
  if (red === green && green === blue) return red;
  const light = 0.2126 * LINEAR[red]! + 0.7152 * LINEAR[green]! + 0.0722 * LINEAR[blue]!;
  return Math.round(255 * (light <= 0.0031308 ? 12.92 * light : 1.055 * light ** (1 / 2.4) - 0.055));
}
