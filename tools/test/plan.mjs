import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

const SOURCE = /\.test\.(ts|mjs)$/;

// Ways to open the GPU, named by PADAGRAD_TEST_PROFILE (test/harness.ts). Kernels have to work under all of them.
const DEFAULT = ['adapter'];
const PORTABLE = ['adapter', 'default-limits', 'no-subgroups'];
// In other orders than the adapter's own, for the same bits as in that, and with no more than WebGPU's default limits.
const OPS = ['adapter', 'disordered'];
// The kernels of GPUs, and those of software adapters without subgroups.
const ROWS = [...OPS, 'gemm-workgroup-disordered'];
const GEMM = [...ROWS, 'no-subgroups-disordered'];

// These drive a browser, which `npm run test:browser` brings; these read files or start programs, which no page can,
// are of the demo's workers, which their own pages put through the same, or call functions of shaders, whose names a page's lack.
const DRIVING = /^browser\//;
const NODE_ONLY =
  /^(cli|hostile|io|package|soak|tools)\/|^(bench\/peers|data\/idx|demo\/(lab|runner)|precision\/selfTest|train\/(heap|realDigits)|conformance|rows)$/;
export const drivesBrowser = ({ name }) => DRIVING.test(name);
export const runsInPage = ({ name }) => !DRIVING.test(name) && !NODE_ONLY.test(name);

/** The profiles that a file runs under in Node. */
export function profilesOf(name) {
  if (/^ops\/(conv2d|linear|matmul)$/.test(name)) return GEMM;
  if (/^ops\/(accuracy|argmax|batchNorm|crossEntropy|logSoftmax|max|softmax(ColumnMean)?|sum)$/.test(name)) return ROWS;
  if (name.startsWith('ops/')) return OPS;
  if (/^(optim\/(optimizer|clipGradNorm)|rows)$/.test(name)) return ['adapter', 'disordered'];
  return name === 'golden' ? PORTABLE : DEFAULT;
}

/** The profiles that a file runs under in a page: with no more than WebGPU's default limits, and ops with a GPU's kernels too. */
export function pageProfilesOf(name) {
  if (name.startsWith('ops/')) return ['default-limits', 'gemm-workgroup'];
  return name === 'golden' ? ['default-limits'] : DEFAULT;
}

// Profiles in the order in which their runs start. Kernels that no other profile compiles come first, because they take longest.
// Kernels that another profile compiles too come last: the shader cache has them by then.
const STARTS = ['gemm-workgroup-disordered', 'no-subgroups', 'adapter', 'disordered', 'no-subgroups-disordered'];

/** The runs in the order in which they start. */
export function startingOrder(runs) {
  const place = ({ profile }) => (STARTS.includes(profile) ? STARTS.indexOf(profile) : STARTS.length);
  return [...runs].sort((a, b) => place(a) - place(b));
}

// Mesa's lavapipe compiles twice as fast without LLVM's optimisations. These runs do without: kernels in another order, which the
// tests rewrite and compare bit by bit with themselves, and tests that compare several kernels for one purpose.
const UNOPTIMISED = /^(bench\/ladder|gemm|precision\/.*|rows|train\/poison)$/;

/** What a run's environment has besides its profile. */
export const environmentOf = (name, profile) =>
  /disordered/.test(profile) || UNOPTIMISED.test(name) ? { GALLIVM_PERF: 'nopt' } : {};

/** Every test: its name, as in `ops/softmax`, its source, and the file that node runs, which is missing if the build left it out. */
export function listTests(sources, built) {
  return readdirSync(sources, { recursive: true })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => SOURCE.test(path) && !path.includes('fixtures/'))
    .sort()
    .map((path) => {
      const name = path.replace(SOURCE, '');
      const file = join(built, `${name}.test.mjs`);
      return { name, source: join(sources, path), file: existsSync(file) ? file : undefined };
    });
}

/** A run for each file that a filter picks (all without filters) under each of its profiles, or a message if a filter picks none. */
export function planRuns(tests, filters, profilesOf) {
  const wanted = filters.map((filter) => filter.replace(/^(\.\/)?test\//, '').replace(SOURCE, ''));
  const unknown = wanted.find((filter) => !tests.some(({ name }) => name.includes(filter)));
  if (unknown !== undefined)
    return `test: no file's name contains ${unknown}; there are ${tests.map(({ name }) => name).join(', ')}`;
  return tests
    .filter(({ name }) => wanted.length === 0 || wanted.some((filter) => name.includes(filter)))
    .flatMap((test) =>
      profilesOf(test.name).map((profile) => ({
        ...test,
        profile,
        title: profile === 'adapter' ? test.name : `${test.name} [${profile}]`,
      })),
    );
}
