import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { wgslMinifier } from '../minifyWgsl.mjs';

const TOOLS = resolve(fileURLToPath(new URL('..', import.meta.url)));
const UVU = join(TOOLS, 'browser', 'uvu.mjs');

/** Bundles test files for pages. Returns each with its bundled `file`, or with the `problem` that prevented one. */
export function bundleAll(tests, folder) {
  rmSync(folder, { recursive: true, force: true });
  return Promise.all(
    tests.map(async (test) => {
      const file = `${folder}/${test.name}.js`;
      const { code, problem } = await bundle(test.source);
      if (problem) return { ...test, file: undefined, problem };
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, code);
      return { ...test, file };
    }),
  );
}

async function bundle(path) {
  try {
    const { outputFiles } = await build({
      bundle: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser',
      entryPoints: [path],
      write: false,
      logLevel: 'silent',
      // test/files.ts imports this only in Node.
      external: ['node:fs/promises'],
      plugins: [wgsl, uvu],
    });
    return { code: outputFiles[0].text };
  } catch ({ errors, message }) {
    const [first] = errors ?? [];
    const where = first?.location ? `${first.location.file}:${first.location.line}: ` : '';
    return { problem: `does not bundle for a browser: ${first ? where + first.text : message}` };
  }
}

// Minifies the kernels as the published package does, so that the tests cover this too.
export const wgsl = {
  name: 'wgsl',
  setup({ onLoad }) {
    const text = (path) => readFileSync(path, 'utf8');
    const minified = wgslMinifier(readdirSync('shaders').map((name) => text(join('shaders', name))));
    const published = resolve('shaders') + sep;
    onLoad({ filter: /\.wgsl$/ }, ({ path }) => {
      const contents = path.startsWith(published) ? minified(text(path)) : text(path);
      return { contents, loader: 'text' };
    });
  },
};

const uvu = {
  name: 'uvu',
  setup({ onResolve }) {
    onResolve({ filter: /^uvu$/ }, ({ importer }) =>
      resolve(importer).startsWith(TOOLS + sep) ? undefined : { path: UVU },
    );
  },
};
