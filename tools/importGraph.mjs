// The import graph of the repository: which folder imports which, types included.
// `node tools/importGraph.mjs` prints it from top to bottom; test/conformance.test.ts holds its rules.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const ROOTS = ['src', 'reference', 'bench', 'demo', 'docs', 'examples', 'test', 'tools'];

/** The folder that a file counts to: `gpu` for src/gpu/queue.ts, `root` for src/tensor.ts, `bench` for bench/harness/row.ts. */
export function folderOf(path) {
  const [top, second] = path.split('/');
  if (top !== 'src') return top;
  return path.split('/').length === 2 ? 'root' : second;
}

/** Every relative import of every program file: `{ from, to }`, paths from the repository's root. Shaders are left out. */
export function listImports(roots = ROOTS) {
  return roots.filter(existsSync).flatMap((root) =>
    readdirSync(root, { recursive: true })
      .map((name) => join(root, name).split(sep).join('/'))
      .filter((path) => /\.(ts|mjs)$/.test(path) && !/node_modules|fixtures/.test(path))
      .sort()
      .flatMap((from) =>
        [...readFileSync(from, 'utf8').matchAll(/\b(?:from|import)\s*\(?\s*'(\.[^']+\.(?:ts|mjs|json))'/g)].map(
          ([, target]) => ({ from, to: posix.join(dirname(from), target) }),
        ),
      ),
  );
}

/** Groups of files that import each other in a circle, each group sorted (Tarjan's algorithm). */
export function findCircles(imports) {
  const targets = new Map(imports.map(({ from }) => [from, []]));
  for (const { from, to } of imports) targets.get(from).push(to);
  const [order, low, stack] = [new Map(), new Map(), []];
  /** @type {string[][]} */
  const circles = [];
  const visit = (file) => {
    order.set(file, order.size);
    low.set(file, order.get(file));
    stack.push(file);
    for (const to of targets.get(file) ?? []) {
      if (!order.has(to)) visit(to);
      if (stack.includes(to)) low.set(file, Math.min(low.get(file), low.get(to)));
    }
    if (low.get(file) < order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of targets.keys()) if (!order.has(file)) visit(file);
  return circles;
}

/** The folders with what each imports, a folder before all that it imports. */
export function listArrows(imports) {
  const arrows = new Map();
  for (const { from, to } of imports) {
    for (const folder of [from, to].map(folderOf)) if (!arrows.has(folder)) arrows.set(folder, new Set());
    if (folderOf(from) !== folderOf(to)) arrows.get(folderOf(from)).add(folderOf(to));
  }
  const height = (folder, above = []) =>
    Math.max(
      0,
      ...[...arrows.get(folder)].filter((to) => !above.includes(to)).map((to) => 1 + height(to, [...above, folder])),
    );
  const heights = new Map([...arrows.keys()].map((folder) => [folder, height(folder)]));
  const highestFirst = (a, b) => heights.get(b) - heights.get(a) || (a < b ? -1 : 1);
  return [...arrows.keys()]
    .sort(highestFirst)
    .map((folder) => ({ folder, to: [...arrows.get(folder)].sort(highestFirst) }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The package's entry points import everything below them.
  const imports = listImports().filter(
    ({ from, to }) => from !== 'src/index.ts' && !/^(\.build|package\.json)/.test(to),
  );
  const arrows = listArrows(imports);
  const width = Math.max(...arrows.map(({ folder }) => folder.length));
  for (const { folder, to } of arrows) console.log(`${folder.padEnd(width)} -> ${to.join(', ') || 'nothing'}`);
  for (const circle of findCircles(imports)) console.log(`circle: ${circle.join(', ')}`);
}
