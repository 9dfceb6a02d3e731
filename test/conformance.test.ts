import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize, sep } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { matrixSizes, SUBGROUP_MATRICES } from '../src/gemm/matrixSizes.ts';
import { parseWgsl } from '../src/gpu/wgsl.ts';
import { wgslMinifier } from '../tools/minifyWgsl.mjs';
import { gpuTest, run } from './harness.ts';

// The rules of the house, in place of a style guide: names, direction of imports, who may touch the device, headers of
// kernels, and that every entry point compiles.

const list = (folder: string, ending: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name).split(sep).join('/'))
    .sort();
const text = (path: string): string => readFileSync(path, 'utf8');

const sources = list('src', '.ts');
const shaders = list('shaders', '.wgsl');

// Imports go down only: `cli` is at the top, `gpu` at the bottom. A file that imports nothing is below all of them.
const FLOORS = [
  ['gpu'],
  ['.', 'checks'],
  ['gemm', 'ops'],
  ['nn'],
  ['optim', 'models'],
  ['io', 'data', 'adaptation', 'debug'],
  ['train'],
  ['cli'],
];
const floorOf = (path: string): number => {
  if (!/\bfrom '\./.test(text(path))) return -1;
  const room = path.split('/').length === 2 ? '.' : path.split('/')[1]!;
  const floor = FLOORS.findIndex((rooms) => rooms.includes(room));
  if (floor < 0) throw new Error(`${path}: no floor for src/${room}; add it to FLOORS`);
  return floor;
};

test('imports point one way', () => {
  const wrong: string[] = [];
  for (const path of sources.filter((name) => name !== 'src/index.ts')) {
    for (const [statement, target] of text(path).matchAll(/^(?:import|export)\s[^;]*?from '(\.[^']+)'/gms)) {
      const to = normalize(join(dirname(path), target!))
        .split(sep)
        .join('/');
      // A type names a shape and runs nothing: a storage may name the Gpu that holds it.
      if (to.startsWith('src/') && !/^(import|export) type/.test(statement) && floorOf(to) > floorOf(path))
        wrong.push(`${path} -> ${to}`);
    }
  }
  assert.equal(wrong, []);
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
    if (own && !existsSync(`bench/${name}.ts`)) missing.push(`bench/${name}.ts`);
    if (!existsSync(`test/ops/${name}.test.ts`)) missing.push(`test/ops/${name}.test.ts`);
    if (!text('src/ops/index.ts').includes(`'./${name}.ts'`)) missing.push(`src/ops/index.ts: ${name}`);
  }
  assert.equal(missing, []);
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

// Every defineKernel call of the library, with the shader files it joins, read out of the source text.
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

// What a core is joined out of.
const fileOf = shadersOf('src/gemm/defineGemm.ts');
const halfFileOf = shadersOf('src/gemm/precision.ts');
const SIZES = ['size8x8x8', 'size8x16x16', 'size16x16x16'];
const cores: [name: string, files: string[]][] = [
  ['subgroup', [fileOf('subgroup')]],
  ['workgroup', [fileOf('single'), fileOf('workgroup')]],
  ['plain', [fileOf('plain')]],
  ['half', [halfFileOf('half'), halfFileOf('workgroup')]],
  ...SIZES.map((size): [string, string[]] => [size, [halfFileOf(size), halfFileOf('matrix')]]),
];

// Every defineGemm call: its operands with its store, or with slices, in each core, and the sum of slices.
const products: KernelUse[] = callers.flatMap((path) =>
  [...text(path).matchAll(/defineGemm\(\s*'(\w[\w.]*)',\s*(\[[^\]]*\]|\w+),\s*(\w+),?\s*\)/g)].flatMap(
    ([, name, joined, last]) => {
      const operands = words(joined!).map(shadersOf(path));
      const store = shadersOf(path)(last!);
      const use = (to: string, by: string, core: string[], entry: string): KernelUse => ({
        where: path,
        name: `${name} by ${by}${to === store ? '' : ' in slices'}`,
        files: [...operands, to, ...core],
        entries: [entry],
      });
      return [
        ...cores.flatMap(([by, core]) => [
          use(store, by, core, 'product'),
          use(fileOf('partial'), by, core, 'product'),
        ]),
        use(store, 'reduce', [fileOf('reduce')], 'reduce'),
      ];
    },
  ),
);
const kernels = [...single, ...products];

test('every kernel declaration is understood, and every shader is used', () => {
  const calls = (what: string) => callers.reduce((n, path) => n + text(path).split(` ${what}(`).length - 1, 0);
  assert.is(single.length, calls('defineKernel'));
  assert.is(products.length, (2 * cores.length + 1) * calls('defineGemm'));
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
      `${name}: entry points nobody calls`,
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
    if (size && !matrixSizes(gpu).has(size)) return;
    for (const entryPoint of entries) {
      await gpu.native.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint } });
    }
  });
}

run();
