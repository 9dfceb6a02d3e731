// Builds the package (dist/) and the programs of this repository (.build/) with esbuild.
//
//   node build.mjs [library|command|types|programs ...]     all of them by default
//   node build.mjs programs --only=ops/max                  only that test
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { wgslMinifier } from './tools/minifyWgsl.mjs';
import { writeOpsIndex } from './tools/opsIndex.mjs';

const files = (folder, pattern) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true })
        .filter((name) => pattern.test(name))
        .map((name) => join(folder, name))
    : [];

const short = wgslMinifier(files('shaders', /\.wgsl$/).map((path) => readFileSync(path, 'utf8')));

/** Imports a .wgsl file as text. The published package has the library's minified; the bench's own shaders stay as they are. */
const wgsl = ({ minify }) => ({
  name: 'wgsl',
  setup({ onLoad }) {
    onLoad({ filter: /\.wgsl$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      return { contents: minify && /^shaders\b/.test(relative('.', path)) ? short(source) : source, loader: 'text' };
    });
  },
});

/** The module `report:page`: the script and the style of report.html as texts. Adds the files that they are built from to `inputs`. */
const reportPage = (inputs = []) => ({
  name: 'report',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^report:page$/ }, () => ({ path: 'page', namespace: 'report' }));
    onLoad({ filter: /.*/, namespace: 'report' }, async () => {
      const { outputFiles, metafile } = await build({
        ...common,
        entryPoints: { page: 'demo/report/main.ts', style: 'demo/report/style.css' },
        outdir: 'report',
        format: 'iife',
        platform: 'browser',
        minify: true,
        metafile: true,
        write: false,
      });
      inputs.push(...Object.keys(metafile.inputs));
      const text = (ending) => JSON.stringify(outputFiles.find(({ path }) => path.endsWith(ending)).text.trim());
      return { contents: `export const script = ${text('.js')}; export const style = ${text('.css')};` };
    });
  },
});

const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  logLevel: 'warning',
  logOverride: { 'direct-eval': 'silent' },
};

/** Builds the entry points of the package: dist/ for browsers and bundlers, dist/node/ for Node. */
async function library() {
  rmSync('dist', { recursive: true, force: true });
  const shared = {
    ...common,
    entryPoints: { index: 'src/index.ts', train: 'src/train/index.ts', precision: 'src/gemm/precision.ts' },
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    external: ['webgpu', 'sharp'],
    plugins: [wgsl({ minify: true })],
    // Assigns fields in the constructor; otherwise esbuild declares the ones that its parameters set a second time.
    tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
  };
  await build({ ...shared, outdir: 'dist', platform: 'neutral', conditions: ['browser'] });
  await build({ ...shared, outdir: 'dist/node', platform: 'node', conditions: ['node'] });
  // esbuild leaves imports of parts that an entry point uses nothing from, and bundlers warn about those.
  for (const path of files('dist', /^(node.)?\w+\.js$/))
    writeFileSync(path, readFileSync(path, 'utf8').replace(/^import ".*";$/gm, ''));
}

/**
 * Builds the installed command line, dist/cli/padagrad.js, which starts dist/cli/main.js, and dist/bench/run.js, which `padagrad bench`
 * starts. They hold the libraries that they use; LICENSES.txt lists their licenses.
 */
async function command() {
  const outdir = 'dist/cli';
  for (const folder of [outdir, 'dist/bench']) rmSync(folder, { recursive: true, force: true });
  // Some of the libraries are CommonJS and require Node's modules.
  const require =
    "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";
  const ofReport = [];
  const { metafile } = await build({
    ...common,
    entryPoints: { 'cli/padagrad': 'src/cli/bin.ts', 'cli/main': 'src/cli/padagrad.ts', 'bench/run': 'bench/run.ts' },
    outdir: 'dist',
    // They share the library. Its parts lie in cli/, because some look for files from their own place.
    splitting: true,
    chunkNames: 'cli/[name]-[hash]',
    banner: { js: `#!/usr/bin/env node\n${require}` },
    // Names are kept for stack traces; the library is not minified at all, because people read it and their bundlers minify it.
    minifyWhitespace: true,
    minifySyntax: true,
    metafile: true,
    platform: 'node',
    conditions: ['node'],
    external: ['webgpu', 'sharp'],
    plugins: [wgsl({ minify: true }), reportPage(ofReport)],
  });
  const inputs = [...Object.keys(metafile.inputs), ...ofReport];
  const bundled = inputs.map((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  const licenses = [...new Set(bundled.filter(Boolean))].sort().map((folder) => {
    const [file] = files(folder, /^licen[cs]e([.-]\w+)*$/i);
    if (!file) throw new Error(`build: ${folder} is bundled but has no license file; add one to LICENSES.txt by hand`);
    return `${folder.replace(/^.*node_modules\//, '')}\n\n${readFileSync(file, 'utf8').trim()}\n`;
  });
  writeFileSync(join(outdir, 'LICENSES.txt'), licenses.join(`\n${'-'.repeat(80)}\n\n`));
}

/** Writes the declarations, dist/types. Their imports must name .js files, where the sources name .ts files. */
function types() {
  const { status } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.types.json'], {
    stdio: 'inherit',
  });
  // The compiler has printed its errors.
  if (status !== 0) process.exit(1);
  for (const file of files('dist/types', /\.d\.ts$/)) {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/(from |import\()'(\.[^']*)\.ts'/g, "$1'$2.js'"));
  }
}

/** Builds the command line, the bench and the tests to .build/, each as a file that Node runs. `only` limits the tests. */
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
    plugins: [wgsl({ minify: false }), reportPage()],
    sourcemap: 'inline',
  });
}

const steps = { library, command, types, programs };
writeOpsIndex();
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', multiple: true, default: [] } },
});
for (const name of positionals.length > 0 ? positionals : Object.keys(steps)) await steps[name](values.only);
