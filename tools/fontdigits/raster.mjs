// Draws outlines as grey images: non-zero winding, exact coverage along x, SUB scanlines per pixel along y.
//
// It uses only + - * / and Math.floor, min, max, whose results IEEE 754 fixes, so an image has the same bits on every machine.
// (Math.sin, Math.exp and others may differ in the last bit between JavaScript engines.)

const SUB = 16; // scanlines per pixel
const CHORDS = 8; // per curve

/** Converts path commands of opentype.js to closed polygons [[x, y], ...]. */
export function flatten(commands) {
  const polygons = [];
  let points = [];
  const curve = (at) => {
    for (let i = 1; i <= CHORDS; i++) points.push(at(i / CHORDS, 1 - i / CHORDS));
  };
  for (const c of commands) {
    const [x0, y0] = points.at(-1) ?? [0, 0];
    if (c.type === 'M') {
      points = [[c.x, c.y]];
      polygons.push(points);
    } else if (c.type === 'L') {
      points.push([c.x, c.y]);
    } else if (c.type === 'Q') {
      curve((t, s) => [s * s * x0 + 2 * s * t * c.x1 + t * t * c.x, s * s * y0 + 2 * s * t * c.y1 + t * t * c.y]);
    } else if (c.type !== 'Z') {
      throw new Error(
        `flatten: only lines and quadratic curves are supported, but the outline has a command ${c.type}`,
      );
    }
  }
  return polygons;
}

/** Maps every point: x' = a x + b y + tx, y' = c x + d y + ty. */
export const transform = (polygons, [a, b, tx], [c, d, ty]) =>
  polygons.map((points) => points.map(([x, y]) => [a * x + b * y + tx, c * x + d * y + ty]));

export function bounds(polygons) {
  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (const [x, y] of polygons.flat()) {
    box.x0 = Math.min(box.x0, x);
    box.x1 = Math.max(box.x1, x);
    box.y0 = Math.min(box.y0, y);
    box.y1 = Math.max(box.y1, y);
  }
  return box;
}

/** Returns the covered share of each pixel of a size x size image, row by row. */
export function coverage(polygons, size) {
  const edges = polygons.flatMap(edgesOf);
  const image = new Float64Array(size * size);
  for (let line = 0; line < size * SUB; line++) {
    const y = (line + 0.5) / SUB;
    const crossings = edges
      .filter((e) => e.y0 <= y && y < e.y1)
      .map((e) => ({ x: e.x0 + ((y - e.y0) / (e.y1 - e.y0)) * (e.x1 - e.x0), turn: e.turn }))
      .sort((p, q) => p.x - q.x);
    const row = image.subarray(Math.floor(line / SUB) * size).subarray(0, size);
    let winding = 0;
    for (let i = 0; i + 1 < crossings.length; i++) {
      winding += crossings[i].turn;
      if (winding !== 0) cover(row, crossings[i].x, crossings[i + 1].x);
    }
  }
  return image;
}

/** Returns the sides of a polygon, each from its upper to its lower end; `turn` is 1 for sides that went down, -1 for up. */
function edgesOf(points) {
  return points.map(([x0, y0], i) => {
    const [x1, y1] = points[(i + 1) % points.length];
    return y0 < y1 ? { x0, y0, x1, y1, turn: 1 } : { x0: x1, y0: y1, x1: x0, y1: y0, turn: -1 };
  });
}

function cover(row, from, to) {
  const [x0, x1] = [Math.max(from, 0), Math.min(to, row.length)];
  for (let x = Math.floor(x0); x < x1; x++) row[x] += (Math.min(x1, x + 1) - Math.max(x0, x)) / SUB;
}
