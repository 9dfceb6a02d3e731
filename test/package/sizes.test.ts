import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

// The size of the package in four real programs: each is run in Node, then bundled as for a page, minified and gzipped.
// Needs dist/, which the build makes before the tests run.

// KB, gzipped. The aims are what the design asks for; the ceilings are what is reached, and keep it from growing.
const PROGRAMS = {
  classWeights: { aim: 11, ceiling: 17.2, prints: '1.00 1.00 0.00' },
  cnnStep: { aim: 26, ceiling: 46.6, prints: 'learns' },
  padaLoop: { aim: 32, ceiling: 62.1, prints: '1' },
  train: { aim: 48, ceiling: 73.2, prints: '1' },
};

const bundled = (program: string, options: BuildOptions) =>
  build({
    entryPoints: [`test/package/programs/${program}.mjs`],
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    outdir: 'bundle',
    write: false,
    metafile: true,
    ...options,
  });

for (const [program, { aim, ceiling, prints }] of Object.entries(PROGRAMS)) {
  test(`the program ${program} runs`, () => {
    const path = `test/package/programs/${program}.mjs`;
    const stdout = execFileSync(process.execPath, [path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    assert.is(stdout, `${prints}\n`);
  });

  test(`a bundle of ${program} has at most ${ceiling} KB`, async () => {
    const { outputFiles, metafile } = await bundled(program, {});
    const sizeOf = (path: string): number => {
      const file = outputFiles!.find((one) => relative('.', one.path) === path)!;
      return gzipSync(file.contents, { level: 9 }).length / 1024;
    };
    // Parts that the program loads later, or never, are not counted.
    const { imports } = metafile!.outputs[`bundle/${program}.js`]!;
    const loaded = imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path);
    const size = [`bundle/${program}.js`, ...loaded].reduce((sum, path) => sum + sizeOf(path), 0);
    console.log(`${program}: ${size.toFixed(1)} KB (aim ${aim}, at most ${ceiling})`);
    assert.ok(size <= ceiling, `${program} has ${size.toFixed(1)} KB; make something smaller`);
  });
}

// The package's sources instead of dist/, whose parts hold many modules each.
const fromSources: Plugin = {
  name: 'sources',
  setup({ onResolve, onLoad }) {
    const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      exports: Record<string, { types: string }>;
    };
    onResolve({ filter: /^padagrad/ }, ({ path }) => {
      const { types } = exports[path.replace('padagrad', '.')]!;
      return { path: resolve(types.replace('./dist/types/', 'src/').replace('.d.ts', '.ts')), sideEffects: false };
    });
    onLoad({ filter: /\.wgsl$/ }, ({ path }) => ({ contents: readFileSync(path), loader: 'text' }));
  },
};

/** The files of the package that a bundle of the program has code of. */
async function modulesOf(program: string): Promise<string[]> {
  const { metafile } = await bundled(program, { plugins: [fromSources] });
  const { inputs } = metafile!.outputs[`bundle/${program}.js`]!;
  return Object.keys(inputs).filter((path) => inputs[path]!.bytesInOutput > 0 && /^(src|shaders)\//.test(path));
}

test('a bundle of train() has only the method that it imports', async () => {
  const codeOf = async (method: string): Promise<string> => {
    const contents = `import { ${method}, train } from 'padagrad/train'; console.log(train, ${method}());`;
    const { outputFiles } = await build({
      ...{ stdin: { contents, resolveDir: '.' }, plugins: [fromSources], bundle: true, minify: true, write: false },
      ...{ format: 'esm', platform: 'browser', splitting: true, outdir: 'bundle' },
    });
    return outputFiles.map(({ text }) => text).join('');
  };
  const names = { sourceOnly: '"source-only"', dann: '"dann"', pada: '"pada"' };
  for (const [method, own] of Object.entries(names)) {
    const code = await codeOf(method);
    for (const name of Object.values(names))
      assert.is(code.includes(`name:${name}`), name === own, `${method}: ${name}`);
    assert.is(code.includes('maxIters'), method !== 'sourceOnly', 'the discriminator and the reversal');
    assert.is(code.includes('partialClassesIndex'), method === 'pada', 'class weights');
  }
});

test('a bundle has only what its program uses', async () => {
  const loop = await modulesOf('padaLoop');
  assert.ok(loop.includes('shaders/domainLoss.wgsl') && loop.includes('src/optim/sgd.ts'), loop.join());
  assert.equal(
    loop.filter((path) => /adam|src\/(cli|train|io)\/|readers/i.test(path)),
    [],
  );
  const train = await modulesOf('train');
  assert.equal(
    train.filter((path) => /adam|src\/(cli)\/|readers/i.test(path)),
    [],
  );
});

test.run();
