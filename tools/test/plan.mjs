import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

const SOURCE = /\.test\.(ts|mjs)$/;

// Ways to open the GPU, named by PADAGRAD_TEST_PROFILE (test/harness.ts). Kernels have to work under all of them.
const DEFAULT = ['adapter'];
const PORTABLE = ['adapter', 'default-limits', 'no-subgroups'];
const GEMM = [...PORTABLE, 'gemm-workgroup'];

/** The profiles that a file runs under. */
export function profilesOf(name) {
  if (/^ops\/(matmul|linear|conv2d)$/.test(name)) return GEMM;
  return /^(ops\/|golden$)/.test(name) ? PORTABLE : DEFAULT;
}

/** Every test: its name, as in `ops/softmax`, and the file that node runs, which is missing if the build left it out. */
export function listTests(sources, built) {
  return readdirSync(sources, { recursive: true })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => SOURCE.test(path) && !path.includes('fixtures/'))
    .sort()
    .map((path) => {
      const name = path.replace(SOURCE, '');
      const file = join(built, `${name}.test.mjs`);
      return { name, file: existsSync(file) ? file : undefined };
    });
}

/** A run for each file that a filter picks (all without filters) under each of its profiles, or a message if a filter picks none. */
export function planRuns(tests, filters, profiles) {
  const wanted = filters.map((filter) => filter.replace(/^(\.\/)?test\//, '').replace(SOURCE, ''));
  const unknown = wanted.find((filter) => !tests.some(({ name }) => name.includes(filter)));
  if (unknown !== undefined)
    return `test: no file's name contains ${unknown}; there are ${tests.map(({ name }) => name).join(', ')}`;
  return tests
    .filter(({ name }) => wanted.length === 0 || wanted.some((filter) => name.includes(filter)))
    .flatMap((test) =>
      (profiles ?? profilesOf(test.name)).map((profile) => ({
        ...test,
        profile,
        title: profile === 'adapter' ? test.name : `${test.name} [${profile}]`,
      })),
    );
}
