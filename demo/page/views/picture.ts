import { element } from '../../shared/dom.ts';
import type { Samples, Side } from '../protocol.ts';
import { INTRODUCTION } from '../words.ts';

/**
 * Draws an image, u8 [channels, height, width]. With `ink`, bytes are black ink, which the style turns white in dark mode.
 */
export function picture(
  pixels: Uint8Array,
  [channels, height, width]: readonly number[],
  { label, ink = false }: { label: string; ink?: boolean },
): HTMLCanvasElement {
  const canvas = element('canvas', {
    width: width!,
    height: height!,
    role: 'img',
    'aria-label': label,
    class: ink && 'ink',
  });
  const pen = canvas.getContext('2d')!;
  const image = pen.createImageData(width!, height!);
  const size = height! * width!;
  for (let i = 0; i < size; i++) {
    if (!ink) for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[channels === 3 ? c * size + i : i]!;
    image.data[4 * i + 3] = ink ? pixels[i]! : 255;
  }
  pen.putImageData(image, 0, 0);
  return canvas;
}

/** Draws one of the images that the page shows of a side. */
export function sample(samples: Samples, side: Side, i: number): HTMLCanvasElement {
  const { task, classNames, shape } = samples;
  const labels = side === 'source' ? samples.sourceLabels : samples.targetLabels;
  const size = shape.reduce((a, b) => a * b);
  const label = INTRODUCTION[side](task, labels ? classNames[labels[i]!]! : null);
  return picture(samples[side].subarray(size * i, size * (i + 1)), shape, { label, ink: task === 'digits' });
}
