// Builds the library (dist/) and the programs (.build/): `node build.mjs [library|command|types|programs|sizes ...]`, all by default.
// `node build.mjs programs --only=ops/max` builds no other tests than that.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { wgslMinifier } from './tools/minifyWgsl.mjs';

const KB = 1024;
// Gzipped, in KB. The aims were set before the ops were written, and are not reached: with every
// error's text and every kernel cut out the host's code is still 31. The ceilings keep it from growing.
const SIZES = {
  library: { aim: 28, ceiling: 64 },
  'ClassWeightModule alone': { aim: 8, ceiling: 15 },
};

const files = (folder, pattern) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .filter((name) => pattern.test(name))
        .map((name) => join(folder, name))
    : [];

const shaders = files('shaders', /\.wgsl$/).sort();
const short = wgslMinifier(shaders.map((path) => readFileSync(path, 'utf8')));

/** WGSL as text; in what is published only what a compiler reads. */
const wgsl = ({ minify }) => ({
  name: 'wgsl',
  setup({ onLoad }) {
    onLoad({ filter: /\.wgsl$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      return { contents: minify ? short(source) : source, loader: 'text' };
    });
  },
});

const gzipped = (text) => gzipSync(text, { level: 9 }).length;

/** The shaders, each before the one that it has most in common with. */
function alikeTogether() {
  const left = new Map(shaders.map((path) => [path, short(readFileSync(path, 'utf8'))]));
  const alone = new Map([...left].map(([path, text]) => [path, gzipped(text)]));
  const ordered = [];
  for (let before = ''; left.size > 0; ) {
    const added = new Map([...left].map(([path, text]) => [path, gzipped(before + text) - alone.get(path)]));
    const [next] = [...added.keys()].sort((a, b) => added.get(a) - added.get(b));
    ordered.push(next);
    before = left.get(next);
    left.delete(next);
  }
  return ordered;
}

/** Puts the kernels' texts first and in that order: what they have in common is then near enough for gzip to find. */
const shadersFirst = {
  name: 'shadersFirst',
  setup({ onLoad }) {
    const imports = alikeTogether().map((path) => `import ${JSON.stringify(resolve(path))};`);
    onLoad({ filter: /src.((train).index|gemm.precision|index)\.ts$/ }, ({ path }) => ({
      contents: [...imports, readFileSync(path, 'utf8')].join('\n'),
      loader: 'ts',
    }));
  },
};

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
  logOverride: { 'direct-eval': 'silent' },
};

/** The ways into the package, for browsers and bundlers in dist/, for Node in dist/node/. */
async function library() {
  rmSync('dist', { recursive: true, force: true });
  const shared = {
    ...common,
    entryPoints: { index: 'src/index.ts', train: 'src/train/index.ts', precision: 'src/gemm/precision.ts' },
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    external: ['webgpu'],
    plugins: [wgsl({ minify: true }), shadersFirst],
    logOverride: { ...common.logOverride, 'ignored-bare-import': 'silent' },
    sourcemap: 'linked',
    // Fields as assignments: those that the constructor's parameters set are not declared a second time.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  };
  await build({ ...shared, outdir: 'dist', platform: 'neutral', conditions: ['browser'] });
  await build({ ...shared, outdir: 'dist/node', platform: 'node', conditions: ['node'] });
  // Parts that are imported for nothing: bundlers that take the package warn of them.
  for (const path of files('dist', /^(node.)?(index|train)\.js$/))
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^import ".*";$/gm, ''));
}

/** What an embedder's bundler makes of dist/: the whole of the library, and what loads of it at once for one class alone. */
async function sizes() {
  const bundled = async (contents) => {
    const { outputFiles, metafile } = await build({
      ...common,
      stdin: { contents, resolveDir: process.cwd() },
      minify: true,
      splitting: true,
      outdir: 'sizes',
      metafile: true,
      write: false,
      platform: 'neutral',
    });
    const size = (path) => gzipped(outputFiles.find((file) => relative('.', file.path) === path).contents);
    const all = Object.keys(metafile.outputs);
    const entry = all.find((path) => metafile.outputs[path].entryPoint === '<stdin>');
    const atOnce = metafile.outputs[entry].imports.filter(({ kind }) => kind === 'import-statement');
    const sum = (paths) => paths.reduce((bytes, path) => bytes + size(path), 0);
    return { all: sum(all), atOnce: sum([entry, ...atOnce.map(({ path }) => path)]) };
  };
  const { all: whole } = await bundled("export * from './dist/index.js'");
  const { atOnce: classWeight } = await bundled(
    "export { ClassWeightModule, createGpu, tensor } from './dist/index.js'",
  );
  const measured = { library: whole / KB, 'ClassWeightModule alone': classWeight / KB };
  const shown = Object.entries(measured).map(([name, size]) => {
    const { aim, ceiling } = SIZES[name];
    return `${name} ${size.toFixed(1)} KB gzipped (aim ${aim}, at most ${ceiling})`;
  });
  console.error(shown.join('; '));
  if (Object.entries(measured).some(([name, size]) => size > SIZES[name].ceiling)) {
    console.error(
      'build: the library is larger than its limit, see above; make something smaller, or raise SIZES in build.mjs',
    );
    process.exit(1);
  }
}

/**
 * dist/cli/padagrad.js: the command line for those who install the package, with its libraries and their licenses, and
 * dist/bench/run.js, which it starts; the bench's kernels are there to be read.
 */
async function command() {
  const outdir = 'dist/cli';
  for (const folder of [outdir, 'dist/bench']) rmSync(folder, { recursive: true, force: true });
  // Some of the libraries are CommonJS, and ask for Node's modules.
  const require =
    "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";
  const shared = {
    ...common,
    banner: { js: `#!/usr/bin/env node\n${require}` },
    metafile: true,
    platform: 'node',
    conditions: ['node'],
    external: ['webgpu'],
  };
  const built = [
    await build({ ...shared, entryPoints: ['src/cli/padagrad.ts'], outdir, plugins: [wgsl({ minify: true })] }),
    await build({ ...shared, entryPoints: ['bench/run.ts'], outdir: 'dist/bench', plugins: [wgsl({ minify: false })] }),
  ];
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const bundled = inputs.map((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  const licenses = [...new Set(bundled.filter(Boolean))].sort().map((folder) => {
    const [file] = files(folder, /^licen[cs]e([.-]\w+)*$/i);
    if (!file) throw new Error(`build: ${folder} has no license file to go with it`);
    return `${folder.replace(/^.*node_modules\//, '')}\n\n${readFileSync(file, 'utf8').trim()}\n`;
  });
  writeFileSync(join(outdir, 'LICENSES.txt'), licenses.join(`\n${'-'.repeat(80)}\n\n`));
}

/** The declarations. Imports name the .ts sources; in declarations they must name what they describe. */
function types() {
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json'], {
    stdio: 'inherit',
  });
  // It has said what is wrong.
  if (status !== 0) process.exit(1);
  for (const file of files('dist/types', /\.d\.ts$/)) {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/(from |import\()'(\.[^']*)\.ts'/g, "$1'$2.js'"));
  }
}

/** The command line, the bench and the tests, each a file that node runs as it is; of the tests only the given ones, if any. */
async function programs(only) {
  if (only.length === 0) rmSync('.build/test', { recursive: true, force: true });
  const entryPoints = [
    ...files('src/cli', /^padagrad\.ts$/),
    ...files('bench', /^(run|peers\/ours)\.ts$/),
    ...(only.length > 0 ? only.map((name) => `test/${name}.test.ts`) : files('test', /\.test\.ts$/)),
  ];
  await build({
    ...common,
    entryPoints: entryPoints.map((path) => ({ in: path, out: path.replace(/^src\//, '').replace(/\.ts$/, '') })),
    outdir: '.build',
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    conditions: ['node'],
    packages: 'external',
    plugins: [wgsl({ minify: false })],
    sourcemap: 'inline',
  });
}

const steps = { library, command, types, programs, sizes };
const [asked, only] = [[], []];
for (const word of process.argv.slice(2)) (word.startsWith('--only=') ? only : asked).push(word.replace('--only=', ''));
for (const name of asked.length > 0 ? asked : Object.keys(steps)) await steps[name](only);
