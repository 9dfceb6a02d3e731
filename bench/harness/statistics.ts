/** The number below which a part `q` of the sorted values lies, linearly between neighbours. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const place = q * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
  return low + (high - low) * (place - Math.floor(place));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Seconds as the milliseconds of a row. */
export function times(seconds: readonly number[]): { medianMs: number; p5Ms: number; p95Ms: number } {
  const ms = seconds.map((s) => 1e3 * s);
  return { medianMs: median(ms), p5Ms: quantile(ms, 0.05), p95Ms: quantile(ms, 0.95) };
}
