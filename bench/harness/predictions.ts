/** Where each row is largest. */
export function predictions(logits: Float32Array, cols: number): number[] {
  return Array.from({ length: logits.length / cols }, (_, row) => {
    const own = logits.subarray(row * cols, (row + 1) * cols);
    return own.indexOf(Math.max(...own));
  });
}
