// Builds the page and the kernel lab as static files, and holds their sizes below limits.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { wgsl } from '../browser/bundle.mjs';
import { writeDigits, writeEmoji } from './images.mjs';

const KB = 1024;
// The lab holds the text of every kernel.
const LIMITS = { page: 170 * KB, lab: 170 * KB };
const DIGITS_LIMIT = 3 * KB * KB;
const EMOJI_LIMIT = 6 * KB * KB;
// Files that the pages load unchanged, with their place in the built folder.
const COPIED = {
  'index.html': 'demo/page/index.html',
  'icon.svg': 'demo/shared/icon.svg',
  'lab/index.html': 'demo/lab/index.html',
};
const BUILT = ['main.js', 'style.css', 'worker.js'];
// Files that each page loads, whose size is limited.
const PAGES = {
  page: ['index.html', 'icon.svg', ...BUILT],
  lab: ['index.html', ...BUILT].map((name) => `lab/${name}`),
};

/** Returns whether a folder contains anything other than an earlier build of the page. */
export function isForeign(folder) {
  const kind = statSync(folder, { throwIfNoEntry: false });
  if (!kind?.isDirectory()) return kind !== undefined;
  const names = readdirSync(folder);
  return names.length > 0 && !BUILT.every((name) => names.includes(name));
}

/**
 * Builds the pages into a folder that any web server can serve. Other files in the folder stay. Returns the gzipped size of each page
 * and the sizes of the images, in bytes.
 */
export async function buildPage(folder) {
  mkdirSync(join(folder, 'lab'), { recursive: true });
  rmSync(join(folder, 'parts'), { recursive: true, force: true });
  const common = {
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'browser',
    logLevel: 'warning',
    outdir: folder,
    metafile: true,
  };
  const built = await Promise.all([
    // The code for own images is in parts of its own, which only visitors who have some load. Page and worker share no part.
    ...Object.entries({ main: 'demo/page/main.ts', worker: 'demo/page/worker/main.ts' }).map(([name, entry]) =>
      build({
        ...common,
        entryPoints: { [name]: entry },
        splitting: true,
        chunkNames: 'parts/[name]-[hash]',
        plugins: [wgsl, oneFigure],
      }),
    ),
    build({
      ...common,
      entryPoints: {
        style: 'demo/page/style.css',
        'lab/main': 'demo/lab/main.ts',
        'lab/style': 'demo/lab/style.css',
      },
      plugins: [wgsl, origin],
    }),
    // The lab shows its kernels, so they are not minified.
    build({
      ...common,
      entryPoints: { 'lab/worker': 'demo/lab/worker/main.ts' },
      loader: { '.wgsl': 'text' },
      plugins: [sources],
    }),
  ]);
  for (const [name, source] of Object.entries(COPIED)) cpSync(source, join(folder, name));
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  writeFileSync(join(folder, 'licenses.txt'), licensesOf(inputs));
  const digits = writeDigits(join(folder, 'digits'));
  const emoji = writeEmoji(join(folder, 'emoji'));
  const weigh = (file) => gzipSync(readFileSync(file), { level: 9 }).length;
  const pages = Object.entries(PAGES).map(([name, files]) => [
    name,
    [
      ...files,
      ...(name === 'page' ? built.slice(0, 2).flatMap(({ metafile }) => partsOf(metafile, folder)) : []),
    ].reduce((sum, file) => sum + weigh(join(folder, file)), 0),
  ]);
  return { pages: Object.fromEntries(pages), digits, emoji };
}

/** Returns the parts that the page's main script or its worker loads at its start. */
function partsOf({ outputs }, folder) {
  const loaded = new Set(Object.keys(outputs).filter((path) => /(main|worker)\.js$/.test(path)));
  for (const path of loaded)
    for (const { kind, path: part } of outputs[path].imports) if (kind === 'import-statement') loaded.add(part);
  return [...loaded].slice(1).map((path) => relative(folder, path));
}

/** Leaves only the recorded accuracy that the page draws. */
const oneFigure = {
  name: 'figure',
  setup({ onLoad }) {
    onLoad({ filter: /docs.figures.adaptation\.json$/ }, ({ path }) => {
      const { tasks } = JSON.parse(readFileSync(path, 'utf8'));
      const [task] = tasks.filter(({ name }) => name === 'fontdigits-mnist');
      const { mean, iterations, runs } = task.methods['source-only'];
      const methods = { 'source-only': { mean, iterations, runs: runs.map(() => 0) } };
      return { contents: JSON.stringify({ tasks: [{ name: task.name, methods }] }), loader: 'json' };
    });
  },
};

/** Builds the pages and prints their sizes. Throws if one exceeds its limit. */
export async function buildAndWeigh(folder) {
  const { pages, digits, emoji } = await buildPage(folder);
  const weights = Object.entries(pages).map(
    ([name, bytes]) => `${name} ${(bytes / KB).toFixed(1)} KB gzipped (at most ${LIMITS[name] / KB})`,
  );
  const inMegabytes = (bytes) => (bytes / KB / KB).toFixed(2);
  process.stderr.write(
    `${weights.join(', ')}, digits ${inMegabytes(digits)} MB (at most ${DIGITS_LIMIT / KB / KB}), emoji ${inMegabytes(emoji)} MB (at most ${EMOJI_LIMIT / KB / KB}), in ${folder}\n`,
  );
  const tooLarge = Object.entries(pages).some(([name, bytes]) => bytes > LIMITS[name]);
  if (tooLarge || digits > DIGITS_LIMIT || emoji > EMOJI_LIMIT)
    throw new Error('page: larger than its limit, see above');
}

/** Returns the paths of all WGSL files. */
export const kernelFiles = () =>
  ['shaders', 'bench/ladder'].flatMap((folder) =>
    readdirSync(folder, { recursive: true })
      .filter((name) => name.endsWith('.wgsl'))
      .map((name) => join(folder, name).replaceAll('\\', '/')),
  );

/** The module `lab:sources`: the text of every WGSL file by its path. */
const sources = {
  name: 'sources',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^lab:sources$/ }, () => ({ path: 'sources', namespace: 'lab' }));
    onLoad({ filter: /.*/, namespace: 'lab' }, () => {
      const paths = kernelFiles();
      const imports = paths.map((path, i) => `import file${i} from ${JSON.stringify(resolve(path))};`);
      const entries = paths.map((path, i) => `${JSON.stringify(path)}: file${i}`);
      return { contents: `${imports.join('')}export const sources = {${entries}};`, resolveDir: resolve('.') };
    });
  },
};

/** The module `lab:origin`: the commit, and the address of the repository. */
const origin = {
  name: 'origin',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^lab:origin$/ }, () => ({ path: 'origin', namespace: 'lab' }));
    onLoad({ filter: /^origin$/, namespace: 'lab' }, () => {
      const values = { commit: commitOf(), repository: repositoryOf(JSON.parse(readFileSync('package.json', 'utf8'))) };
      return { contents: JSON.stringify(values), loader: 'json' };
    });
  },
};

function commitOf() {
  const { stdout } = spawnSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], { encoding: 'utf8' });
  return stdout?.trim() || null;
}

/** Returns the web address of a package's repository, as in `https://github.com/owner/name`; null if it names none. */
export function repositoryOf({ repository }) {
  const url = typeof repository === 'string' ? repository : repository?.url;
  const path = /^(?:github:)?([\w-]+\/[\w.-]+)$/.exec(url)?.[1];
  if (path) return `https://github.com/${path}`;
  return /https:\/\/.+/.exec(url)?.[0].replace(/\.git$/, '') ?? null;
}

/** Returns the licenses of everything in a bundle. They must be distributed with it. */
function licensesOf(inputs) {
  const packages = inputs.map((path) => /node_modules\/((@[^/]+\/)?[^/]+)/.exec(path)?.[1]).filter(Boolean);
  const files = [
    ['padagrad', 'LICENSE'],
    ...[...new Set(packages)].map((name) => [name, `node_modules/${name}/LICENSE`]),
  ];
  const digits = readFileSync('NOTICE', 'utf8').trim();
  return [...files.map(([name, file]) => `${name}\n\n${readFileSync(file, 'utf8').trim()}`), digits].join(
    `\n\n${'-'.repeat(80)}\n\n`,
  );
}
