import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, sep } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { matrixFamilies, SUBGROUP_MATRICES } from '../src/gemm/requestedKernels.ts';
import { parseWgsl } from '../src/gpu/wgsl.ts';
import { findCircles, folderOf, listImports } from '../tools/importGraph.mjs';
import { wgslMinifier } from '../tools/minifyWgsl.mjs';
import { FOLDERS, opsIndex } from '../tools/opsIndex.mjs';
import { gpuTest, run } from './harness.ts';

// Rules that hold for the whole repository: names, the direction of imports, who may touch the device, the headers of kernels.
// It also compiles every entry point of every kernel, as written and minified.

// bench/peers installs packages of its own.
const list = (folder: string, ending: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => join(folder, name).split(sep).join('/'))
    .sort();
const text = (path: string): string => readFileSync(path, 'utf8');

const sources = list('src', '.ts');
const shaders = list('shaders', '.wgsl');

// Imports point down only, types included: `cli` is at the top. Folders of one floor may import each other.
const FLOORS = [
  ['cli'],
  ['train'],
  ['data', 'adaptation', 'debug', 'io'],
  ['models', 'optim'],
  ['nn'],
  ['ops'],
  ['gemm', 'root'],
  ['gpu'],
  ['checks'],
];
// A folder imports src, reference and these: tests import what they test, the kernel lab the cases of the bench.
const ALSO: Record<string, string[]> = {
  reference: [],
  bench: [],
  demo: ['bench'],
  docs: [],
  examples: [],
  test: ['bench', 'demo', 'tools'],
  tools: [],
};
const ROOT_FILES = ['autograd', 'capture', 'index', 'random', 'shape', 'tensor', 'tidy'];

const imports = listImports();
const top = (path: string): string => path.split('/')[0]!;
function floorOf(path: string): number {
  const floor = FLOORS.findIndex((folders) => folders.includes(folderOf(path)));
  if (floor < 0) throw new Error(`${path}: no floor for ${folderOf(path)}; add it to FLOORS`);
  return floor;
}
function isAllowed(from: string, to: string): boolean {
  // These are no sources: recorded figures, what the package says of itself, built programs.
  if (/^(docs\/figures\/|package\.json$|\.build\/)/.test(to)) return true;
  if (top(from) === 'src') return top(to) === 'src' && (from === 'src/index.ts' || floorOf(to) >= floorOf(from));
  if (top(from) === top(to)) return true;
  if (top(from) === 'bench' && folderOf(to) === 'cli') return false;
  // Only one part of the demo, the kernel lab, uses the bench.
  if (top(to) === 'bench' && top(from) === 'demo' && !from.startsWith('demo/lab/')) return false;
  return top(from) !== 'reference' && ['src', 'reference', ...ALSO[top(from)]!].includes(top(to));
}

test('imports point one way, types included', () => {
  const wrong = imports.filter(({ from, to }) => !isAllowed(from, to)).map(({ from, to }) => `${from} -> ${to}`);
  assert.equal(wrong, []);
});

test('no files import each other in a circle', () => {
  assert.equal(findCircles(imports), []);
  const circle = ['b', 'c', 'a'].map((to, i) => ({ from: 'abc'[i]!, to }));
  assert.equal(findCircles([...circle, { from: 'c', to: 'd' }]), [['a', 'b', 'c']]);
});

test('only the core of the engine lies at the root of src', () => {
  const files = sources.filter((path) => folderOf(path) === 'root').map((path) => basename(path, '.ts'));
  assert.equal(files, ROOT_FILES);
});

test('the library imports no package, and Node only where it is named so', () => {
  const wrong: string[] = [];
  for (const path of sources.filter((name) => !name.startsWith('src/cli/') && !name.endsWith('.node.ts'))) {
    for (const [, target] of text(path).matchAll(
      /(?:^(?:import|export(?: type)? [*{])[^;']*|\bimport\(\s*)'([^'.][^']*)'/gm,
    ))
      if (target !== '#gpu') wrong.push(`${path} -> ${target}`);
  }
  assert.equal(wrong, []);
});

test('the bench runs in a page: only its command line imports packages', () => {
  const wrong = list('bench', '.ts')
    .filter((path) => path !== 'bench/run.ts' && !path.startsWith('bench/peers/'))
    .filter((path) => /(?:from|import\()\s*'[^'.]/.test(text(path)));
  assert.equal(wrong, []);
});

test('only src/gpu makes GPU objects', () => {
  const wrong = sources.filter(
    (path) =>
      !path.startsWith('src/gpu/') &&
      /\.create(Buffer|BindGroup|ComputePipeline|ShaderModule|CommandEncoder|PipelineLayout|QuerySet)/.test(text(path)),
  );
  assert.equal(wrong, []);
});

test('an op has the same name in its shader, its test and its bench', () => {
  const missing: string[] = [];
  for (const path of list('src/ops', '.ts').filter((name) => !/\/(index|shared\/\w+)\.ts$/.test(name))) {
    const name = basename(path, '.ts');
    const own = shaders.some((shader) => basename(shader).split('.')[0] === name);
    if (!own && /defineKernel/.test(text(path))) missing.push(`shaders/${name}.wgsl`);
    if (own && !existsSync(`bench/ops/${name}.ts`)) missing.push(`bench/ops/${name}.ts`);
    const ownTest = `test/ops/${name}.test.ts`;
    if (!existsSync(ownTest)) missing.push(ownTest);
    else if (!/check(Arguments|Refusals)\(/.test(text(ownTest))) missing.push(`${ownTest}: checkArguments`);
  }
  assert.equal(missing, []);
});

test('the lists of ops and of their benches are up to date', () => {
  for (const folder of FOLDERS) assert.equal(text(`${folder}/index.ts`), opsIndex(folder));
});

test('every kernel opens with its formula, shapes, parallel split and numerics', () => {
  const wrong = [...shaders, ...list('bench', '.wgsl')].filter((path) => {
    const header = /^(?:\/\/[^\n]*\n)+/.exec(text(path))?.[0] ?? '';
    const name = basename(path, '.wgsl');
    return (
      !header.startsWith(`// ${name}: `) ||
      !['shapes', 'parallel', 'numerics'].every((word) => new RegExp(`^// ${word} `, 'm').test(header))
    );
  });
  assert.equal(wrong, []);
});

// WGSL lets a store to one component of a vector write all of them, and SwiftShader does: two invocations that each have their own
// component of a vector lose numbers.
test('kernels store whole vectors where invocations may share them', () => {
  const wrong = [...shaders, ...list('bench', '.wgsl')].flatMap((path) => {
    const code = text(path).replace(/\/\/.*/g, '');
    const aliases = new Map([...code.matchAll(/\balias (\w+) = ([^;]+);/g)].map(([, name, type]) => [name!, type!]));
    return [...code.matchAll(/var<(?:workgroup|storage, read_write)> (\w+): ([^;]+);/g)].flatMap(([, name, type]) => {
      const whole = type!.replace(/\w+/g, (word) => aliases.get(word) ?? word);
      if (!/\bvec/.test(whole)) return [];
      const indices = whole.split('array<').length - 1;
      return componentStores(code, name!, indices).map((store) => `${path}: ${store}`);
    });
  });
  assert.equal(wrong, []);
  assert.equal(componentStores('a[i[0]] = v; a[i][j] += x; b[i].x = y; a[i].y = b[i];', 'a', 1), [
    'a[i][j] +=',
    'a[i].y =',
  ]);
});

/** Assignments to parts of the elements of an array: with more indices than it has, or with a component's name. */
function componentStores(code: string, name: string, indices: number): string[] {
  const index = String.raw`\[(?:[^\[\]]|\[[^\[\]]*\])*\]`;
  const stores = new RegExp(String.raw`\b${name}((?:${index})+)(\.\w+)?\s*[-+*/|&^]?=(?!=)`, 'g');
  return [...code.matchAll(stores)]
    .filter(([, path, component]) => component || path!.match(new RegExp(index, 'g'))!.length > indices)
    .map(([store]) => store);
}

// WebKit evaluated only names and literals until January 2026 (bug 275010). An array of `2 * SIZE` elements then has none, and writes
// to it are lost without an error.
test('overrides size arrays and workgroups by their name, and their defaults are numbers', () => {
  const paths = [...shaders, ...list('bench', '.wgsl')];
  const read = (path: string): string => text(path).replace(/\/\/.*/g, '');
  const namesOf = (code: string, kind: string) =>
    [...code.matchAll(new RegExp(`\\b${kind} (\\w+)`, 'g'))].map(([, name]) => name!);
  const overrides = new Set(paths.flatMap((path) => namesOf(read(path), 'override')));
  const faultsIn = (code: string): string[] => {
    const constants = new Set(namesOf(code, 'const'));
    const isOverride = (word: string) => overrides.has(word) && !constants.has(word);
    const arrays = [...code.matchAll(/\barray\s*</g)].map(
      ({ index }) => argumentsAt(code, code.indexOf('<', index))[1],
    );
    const groups = [...code.matchAll(/@workgroup_size\s*\(/g)].flatMap(({ index }) =>
      argumentsAt(code, code.indexOf('(', index)),
    );
    const defaults = [...code.matchAll(/\boverride [^=;]*=([^;]+);/g)].map(([, value]) => value!);
    const isPlain = (size: string) => /^\s*\w+\s*$/.test(size);
    return [
      ...[...arrays, ...groups].filter((size) => size && !isPlain(size) && words(size).some(isOverride)),
      ...defaults.filter((value) =>
        words(value).some((word) => /^[A-Za-z_]/.test(word) && !/^(true|false)$/.test(word)),
      ),
    ].map((fault) => fault!.trim());
  };
  assert.equal(
    paths.flatMap((path) => faultsIn(read(path)).map((fault) => `${path}: ${fault}`)),
    [],
  );
  overrides.add('S');
  const right = 'override S = 2u;\nvar<workgroup> a: array<f32, S>; @workgroup_size(S, 1)';
  assert.equal(faultsIn(right), []);
  const wrong = `@id(1) override S = 2 * S;
    var<workgroup> a: array<array<f32, S>, 2 * S>; var<workgroup> b: array<f32, min(S, 4)>; var<workgroup> c: array<f32, 4>;
    var<workgroup> d: array<
      vec4<f32>,
      S / 4
    >;
    @workgroup_size(S, max(S, 1), S + 1)`;
  assert.equal(faultsIn(wrong), ['2 * S', 'min(S, 4)', 'S / 4', 'max(S, 1)', 'S + 1', '2 * S']);
});

/** Splits what the bracket at a place of WGSL encloses, at its outer commas. */
function argumentsAt(code: string, start: number): string[] {
  let depth = 0;
  let from = start + 1;
  const found: string[] = [];
  for (let at = start; at < code.length; at++) {
    if ('(<'.includes(code[at]!)) depth++;
    if (')>'.includes(code[at]!)) depth--;
    if (depth === 0 || (depth === 1 && code[at] === ',')) {
      found.push(code.slice(from, at));
      from = at + 1;
    }
    if (depth === 0) break;
  }
  return found;
}

test('WGSL lives in shaders/, console and unfinished marks nowhere in the library', () => {
  const wrong = sources.filter((path) => {
    const code = text(path);
    return (
      /@compute|@group\(/.test(
        code.replace(/\/[^\n/]*@group[^\n]*\/g/g, '').replace(/^\s*(\/\/|\*|\/\*\*).*$/gm, ''),
      ) ||
      /\b(TODO|FIXME|XXX|HACK)\b/.test(code) ||
      (!path.startsWith('src/cli/') && /console\.(log|debug)/.test(code))
    );
  });
  assert.equal(wrong, []);
});

test('a long source opens with what it is for', () => {
  const long = [...sources, ...list('demo', '.ts'), ...list('bench', '.ts')].filter(
    (path) => text(path).split('\n').length > 120,
  );
  assert.equal(
    long.filter((path) => !text(path).startsWith('//')),
    [],
  );
});

test('files stay short', () => {
  const long = [...sources, ...shaders, ...list('test', '.ts')].filter((path) => text(path).split('\n').length > 400);
  assert.equal(long, []);
});

interface KernelUse {
  where: string;
  name: string;
  files: string[];
  entries: string[];
}

// These two declare kernels for others.
const makers = ['src/gpu/kernel.ts', 'src/gemm/defineGemm.ts'];
const callers = sources.filter((path) => !makers.includes(path));

/** The shader files that a source imports, by the names of its variables. */
function shadersOf(path: string): (variable: string) => string {
  const imports = [...text(path).matchAll(/import (\w+) from '([^']+\.wgsl)'/g)];
  const files = new Map(imports.map(([, name, target]) => [name!, normalize(join(dirname(path), target!))]));
  return (variable) => files.get(variable)?.split(sep).join('/') ?? `${path}: ${variable} is no shader`;
}
const words = (list: string): string[] => [...list.matchAll(/\w+/g)].map(([word]) => word);

// Every defineKernel call of the library with the shader files that it joins, found in the source text.
const single: KernelUse[] = callers.flatMap((path) =>
  [...text(path).matchAll(/defineKernel\(\s*'(\w[\w.]*)',\s*(\[[^\]]*\]|\w+),\s*\[([^\]]*)\]/g)].map(
    ([, name, joined, entries]) => ({
      where: path,
      name: name!,
      files: words(joined!).map(shadersOf(path)),
      entries: words(entries!),
    }),
  ),
);

// The files of each GEMM kernel.
const fileOf = shadersOf('src/gemm/defineGemm.ts');
const requestedFileOf = shadersOf('src/gemm/requestedKernels.ts');
const SIZES = ['size8x8x8', 'size8x16x16', 'size16x16x16'];
const gemmKernels: [name: string, files: string[]][] = [
  ['subgroup', [fileOf('subgroup')]],
  ['workgroup', [fileOf('single'), fileOf('workgroup')]],
  ['workgroup 4x4', [fileOf('single'), fileOf('workgroup4x4')]],
  ['plain', [fileOf('plain')]],
  ['half', [requestedFileOf('half'), fileOf('workgroup')]],
  ['half 4x4', [requestedFileOf('half'), fileOf('workgroup4x4')]],
  ...SIZES.map((size): [string, string[]] => [
    size,
    [requestedFileOf('half'), requestedFileOf(size), requestedFileOf('matrix')],
  ]),
  ['size8x8x8 f32', [requestedFileOf('single'), requestedFileOf('size8x8x8'), requestedFileOf('matrix')]],
];

// Every defineGemm call: its operands joined with each GEMM kernel, with its epilogue or that of split-K, and the sum of the parts.
const gemms: KernelUse[] = callers.flatMap((path) =>
  [...text(path).matchAll(/defineGemm\(\s*'(\w[\w.]*)',\s*(\[[^\]]*\]|\w+),\s*(\w+),?\s*\)/g)].flatMap(
    ([, name, joined, last]) => {
      const operands = words(joined!).map(shadersOf(path));
      const epilogue = shadersOf(path)(last!);
      const use = (to: string, by: string, kernel: string[], entry: string): KernelUse => ({
        where: path,
        name: `${name} by ${by}${to === epilogue ? '' : ' with k split'}`,
        files: [...operands, to, ...kernel],
        entries: [entry],
      });
      return [
        ...gemmKernels.flatMap(([by, kernel]) => [
          use(epilogue, by, kernel, 'gemm'),
          use(fileOf('splitEpilogue'), by, kernel, 'gemm'),
        ]),
        use(epilogue, 'reduce', [fileOf('reduceSource')], 'reduce'),
      ];
    },
  ),
);
// The device compiles this one without a launch.
const trial: KernelUse = {
  where: 'src/gpu/device.ts',
  name: 'lanes',
  files: ['shaders/lanes.wgsl'],
  entries: ['main'],
};
const kernels = [...single, ...gemms, trial];

test('every kernel declaration is understood, and every shader is used', () => {
  const calls = (what: string) => callers.reduce((n, path) => n + text(path).split(` ${what}(`).length - 1, 0);
  assert.is(single.length, calls('defineKernel'));
  assert.is(gemms.length, (2 * gemmKernels.length + 1) * calls('defineGemm'));
  const used = new Set(kernels.flatMap((kernel) => kernel.files));
  assert.equal(
    shaders.filter((path) => !used.has(path)),
    [],
  );
  for (const { name, files, entries } of kernels) {
    const inText = files.flatMap((path) =>
      [...text(path).matchAll(/@compute[^{]*?fn (\w+)/gs)].map(([, entry]) => entry!),
    );
    assert.equal(
      inText.filter((entry) => !entries.includes(entry)),
      [],
      `${name}: entry points without a caller`,
    );
  }
});

test('kernels are declared pure, so that bundlers can drop them', () => {
  const wrong = callers.filter((path) =>
    [...text(path).matchAll(/= (\/\* @__PURE__ \*\/ )?define(?:Kernel|Gemm)\(/g)].some(([, pure]) => !pure),
  );
  assert.equal(wrong, []);
});

const minified = wgslMinifier(shaders.map(text));

async function expectNoFaults(where: string, module: GPUShaderModule): Promise<void> {
  const faults = (await module.getCompilationInfo()).messages.filter((message) => message.type !== 'info');
  assert.equal(
    faults.map((fault) => `${where}: line ${fault.lineNum}: ${fault.message}`),
    [],
  );
}

for (const { name, files, entries, where } of kernels) {
  gpuTest(`${name} compiles: ${entries.join(', ')}`, async (gpu) => {
    const { code, bindings, fields } = parseWgsl(name, files.map(text));
    if (/^\s*enable\s+subgroups/m.test(code) && !gpu.features.has('subgroups')) return;
    if (/^\s*enable\s+f16/m.test(code) && !gpu.features.has('shader-f16')) return;
    if (/^\s*enable\s+chromium_/m.test(code) && !gpu.features.has(SUBGROUP_MATRICES)) return;
    const module = gpu.native.createShaderModule({ code });
    await expectNoFaults(where, module);
    const published = parseWgsl(name, files.map(text).map(minified));
    await expectNoFaults(`${where}, minified`, gpu.native.createShaderModule({ code: published.code }));
    assert.equal([published.bindings, published.fields], [bindings, fields]);
    const size = /gemm\.matrix\.(\w+)\.wgsl/.exec(files.join())?.[1];
    // The text is right; a device takes the sizes that it has.
    const element = /alias Element = (\w+)/.exec(code)?.[1];
    if (size && !matrixFamilies(gpu).has(`matrix-${element}-${size}`)) return;
    for (const entryPoint of entries) {
      await gpu.native.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
    }
  });
}

run();
