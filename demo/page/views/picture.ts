import { element } from '../../shared/dom.ts';

const SIDE = 28;

/** A picture of an image of 28x28 bytes: black ink, which the style turns white in the dark. */
export function picture(pixels: Uint8Array, label: string): HTMLCanvasElement {
  const canvas = element('canvas', { width: SIDE, height: SIDE, role: 'img', 'aria-label': label });
  const pen = canvas.getContext('2d')!;
  const image = pen.createImageData(SIDE, SIDE);
  for (const [i, byte] of pixels.entries()) image.data[4 * i + 3] = byte;
  pen.putImageData(image, 0, 0);
  return canvas;
}
