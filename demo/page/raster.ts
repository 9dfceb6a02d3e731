const SIDE = 28;
// MNIST's digits fill a box of 20x20, with the middle of their ink in the middle of the image.
const BOX = 20;

/**
 * A drawing, `side` x `side` bytes of ink, as an image like MNIST's: scaled so that it fills the box, then moved so that the
 * middle of its ink is the middle of the image. Null where there is no ink.
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
  // Pixels of the drawing for one of the image.
  const step = Math.max(right - left + 1, bottom - top + 1) / BOX;
  const [x0, y0] = [sumX / sum - (SIDE / 2) * step, sumY / sum - (SIDE / 2) * step];
  const image = new Uint8Array(SIDE * SIDE);
  for (let row = 0; row < SIDE; row++) {
    for (let column = 0; column < SIDE; column++) {
      image[row * SIDE + column] = Math.round(mean(ink, side, x0 + column * step, y0 + row * step, step));
    }
  }
  return image;
}

/** The mean ink of a square, samples no further apart than pixels; outside of the drawing there is none. */
function mean(ink: ArrayLike<number>, side: number, left: number, top: number, size: number): number {
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
