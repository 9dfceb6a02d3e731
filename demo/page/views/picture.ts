import { element } from '../../shared/dom.ts';
import { SIDE } from '../protocol.ts';

/** Draws an image, u8 [28, 28], in black ink, which the style turns white in dark mode. */
export function picture(pixels: Uint8Array, label: string): HTMLCanvasElement {
  const canvas = element('canvas', { width: SIDE, height: SIDE, role: 'img', 'aria-label': label });
  const pen = canvas.getContext('2d')!;
  const image = pen.createImageData(SIDE, SIDE);
  for (const [i, byte] of pixels.entries()) image.data[4 * i + 3] = byte;
  pen.putImageData(image, 0, 0);
  return canvas;
}
