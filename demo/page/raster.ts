import { SIDE } from './protocol.ts';

// MNIST's digits fill a box of 20x20, with the centre of their ink at the centre of the image.
const BOX = 20;

/**
 * Turns a drawing into an image like MNIST's: scaled to fill the box, then moved so that the centre of its ink is the
 * centre of the image. Returns u8 [28, 28], or null if there is no ink.
 *
 * @param ink one byte of ink per pixel, [side, side]
 */
export function digitOf(ink: ArrayLike<number>, side: number): Uint8Array | null {
  let [left, top, right, bottom] = [side, side, -1, -1];
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const value = ink[y * side + x]!;
      if (value === 0) continue;
      [left, top, right, bottom] = [Math.min(left, x), Math.min(top, y), Math.max(right, x), Math.max(bottom, y)];
      sum += value;
      sumX += value * (x + 0.5);
      sumY += value * (y + 0.5);
    }
  }
  if (sum === 0) return null;
  // Pixels of the drawing per pixel of the image.
  const step = Math.max(right - left + 1, bottom - top + 1) / BOX;
  const [x0, y0] = [sumX / sum - (SIDE / 2) * step, sumY / sum - (SIDE / 2) * step];
  const image = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      image[row * SIDE + column] = Math.round(mean(ink, side, [x0 + column * step, y0 + row * step, step]));
    }
  }
  return image;
}

/** Returns the mean ink of a square, sampled at least once per pixel. There is no ink outside the drawing. */
function mean(ink: ArrayLike<number>, side: number, [left, top, size]: readonly [number, number, number]): number {
  const n = Math.max(1, Math.ceil(size));
  let sum = 0;
  for (let i = 0; i < n; i++) {
    const y = Math.floor(top + ((i + 0.5) * size) / n);
    if (y < 0 || y >= side) continue;
    for (let j = 0; j < n; j++) {
      const x = Math.floor(left + ((j + 0.5) * size) / n);
      if (x >= 0 && x < side) sum += ink[y * side + x]!;
    }
  }
  return sum / (n * n);
}
