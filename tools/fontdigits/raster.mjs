// Outlines to grey images: non-zero winding, exact coverage along x, SUB scanlines a pixel along y.
//
// Only + - * / and Math.floor, min, max: IEEE 754 fixes their results, so an image is the same bits on every machine.
// (Math.sin, exp and their like may differ in the last bit from one engine to the next.)

const SUB = 16; // scanlines a pixel
const CHORDS = 8; // a curve

/** Path commands of opentype.js to closed polygons [[x, y], ...]. */
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
      throw new Error(`flatten: the faces have lines and quadratic curves alone, but here is a command ${c.type}`);
    }
  }
  return polygons;
}

/** x' = a x + b y + tx, y' = c x + d y + ty, at every point. */
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

/** The covered share of each pixel of a size x size image, row by row. */
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

/** The sides of a polygon, each from its upper end to its lower, with the way it turned. */
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
