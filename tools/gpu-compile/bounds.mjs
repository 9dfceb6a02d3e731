// The table of bounds: reads it, writes it, and compares figures with it.

const around =
  (kind) =>
  ({ hot }) =>
    hot?.around.reduce((sum, counts) => sum + (counts[kind] ?? 0), 0);
const share = ({ fma, vector = 0, memory = 0 }) => (100 * fma) / (fma + vector + memory);

/**
 * The percentage of multiply-adds in the vector instructions of a round of a GEMM kernel: its hot loop as often as it runs, and the
 * loop around it once. Undefined for other kernels.
 */
export function roundShare({ hot, roundFma }) {
  if (!hot?.fma || !roundFma) return undefined;
  const { vector = 0, memory = 0 } = hot;
  const others = (roundFma / hot.fma) * (vector + memory) + around('vector')({ hot });
  return Number(((100 * roundFma) / (roundFma + others)).toFixed(1));
}

// Each figure, which way is worse, and by how much it may get worse. Compilers shuffle a few instructions with every change, but a
// spilled register or one subgroup less is a loss.
const COLUMNS = [
  { title: 'registers', of: ({ vgprs }) => vgprs, worse: 1 },
  { title: 'spilled', of: ({ spilledVgprs, spilledSgprs = 0 }) => spilledVgprs + spilledSgprs, worse: 1 },
  { title: 'LDS', of: ({ lds }) => lds, worse: 1 },
  { title: 'subgroups/SIMD', of: ({ occupancy }) => occupancy, worse: -1 },
  { title: 'instructions', of: ({ instructions }) => instructions, worse: 1, slack: 0.02 },
  { title: 'hot loop: fma %', of: ({ hot }) => hot?.fma && Number(share(hot).toFixed(1)), worse: -1, slack: 0.005 },
  { title: 'memory', of: ({ hot }) => hot && (hot.memory ?? 0), worse: 1 },
  { title: 'round: fma %', of: roundShare, worse: -1, slack: 0.005 },
  { title: 'around: vector', of: around('vector'), worse: 1, slack: 0.02 },
  { title: 'memory', of: around('memory'), worse: 1, slack: 0.02 },
];

/** The figures of a pipeline, as the table has them; undefined where there is none. */
export const figuresOf = (row) => COLUMNS.map(({ of }) => of(row));

/** Writes families, a map of their names to { driver, kernels: a map of names to figures }, as Markdown. */
export function showBounds(families) {
  const line = (cells) => `| ${cells.map((cell) => cell ?? '').join(' | ')} |`;
  const parts = [...families].map(([family, { driver, kernels }]) => [
    `## ${family}: ${driver}\n`,
    line(['kernel', ...COLUMNS.map(({ title }) => title)]),
    `|---|${COLUMNS.map(() => '---:').join('|')}|`,
    ...[...kernels].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, figures]) => line([name, ...figures])),
  ]);
  const intro = `# Bounds of the hot kernels

\`npm run gpu-compile -- --check\` fails if a figure gets worse. \`--update\` writes this file. The
[README](README.md#how-to-read-the-table) explains the columns.`;
  return `${[intro, ...parts.map((lines) => lines.join('\n'))].join('\n\n')}\n`;
}

/** Reads what {@link showBounds} wrote. */
export function readBounds(text) {
  const families = new Map();
  let kernels;
  for (const line of text.split('\n')) {
    const [, family, driver] = /^## (\S+): (.*)$/.exec(line) ?? [];
    if (family) {
      kernels = new Map();
      families.set(family, { driver, kernels });
    }
    if (!line.startsWith('| ') || line.startsWith('| kernel |')) continue;
    const [name, ...figures] = line.slice(2, -2).split(' | ');
    kernels.set(
      name.trim(),
      figures.map((figure) => (figure.trim() ? Number(figure) : undefined)),
    );
  }
  return families;
}

/** Compares the figures of one family's kernels. Returns what is worse (a kernel that either side lacks is, too) and what is better. */
export function compareKernels(bounds, found) {
  const worse = [];
  const better = [];
  for (const [name, limits] of bounds) {
    const figures = found.get(name);
    if (!figures) worse.push(`${name} is in the table but was not compiled`);
    for (const [i, { title, worse: sign, slack = 0 }] of figures ? COLUMNS.entries() : []) {
      const [now, limit] = [figures[i], limits[i]];
      if (now === limit) continue;
      const change = `${name}: ${title} ${limit ?? 'none'} -> ${now ?? 'none'}`;
      if (now === undefined || limit === undefined) worse.push(change);
      else if (sign * (now - limit) > slack * limit) worse.push(change);
      else if (sign * (now - limit) < 0) better.push(change);
    }
  }
  for (const name of found.keys()) if (!bounds.has(name)) worse.push(`${name} is not in the table`);
  return { worse, better };
}
