/** The points of a curve, with ascending x. */
export interface Curve {
  x: number[];
  y: number[];
}

/** Returns at most `most` points, each the mean of equally many neighbours. */
export function thin({ x, y }: Curve, most: number): Curve {
  const size = Math.ceil(x.length / most);
  if (size <= 1) return { x, y };
  const thinned: Curve = { x: [], y: [] };
  for (let from = 0; from < x.length; from += size) {
    const part = y.slice(from, from + size);
    thinned.x.push(x[Math.min(from + size, x.length) - 1]!);
    thinned.y.push(part.reduce((sum, value) => sum + value, 0) / part.length);
  }
  return thinned;
}

/** Puts curves on one axis: every x of any curve, then each curve's y, null where a curve has no finite value. */
export function align(curves: readonly Curve[]): [x: number[], ...y: (number | null)[][]] {
  const all = [...new Set(curves.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const place = new Map(all.map((x, i) => [x, i]));
  const columns = curves.map(({ x, y }) => {
    const column = new Array<number | null>(all.length).fill(null);
    for (const [i, value] of y.entries()) column[place.get(x[i]!)!] = Number.isFinite(value) ? value : null;
    return column;
  });
  return [all, ...columns];
}
