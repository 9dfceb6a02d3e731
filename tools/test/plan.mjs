import { existsSync, readdirSync } from 'node:fs';
import { join, sep } from 'node:path';

const SOURCE = /\.test\.(ts|mjs)$/;

// Profiles are ways to open the GPU, named by PADAGRAD_TEST_PROFILE (test/harness.ts). Kernels must work under all of them.
const DEFAULT = ['adapter'];
const PORTABLE = ['adapter', 'default-limits', 'no-subgroups'];
// `disordered` runs invocations in other orders and expects the same bits, within WebGPU's default limits.
const OPS = ['adapter', 'disordered'];
// A software adapter also runs the kernels that GPUs use, and the ones for devices without subgroups.
const ROWS = [...OPS, 'gemm-workgroup-disordered'];
const GEMM = [...ROWS, 'no-subgroups-disordered'];

// Tests in browser/ drive a browser, so only `npm run test:browser` runs them. The NODE_ONLY tests do not run in a page: they read
// files, start programs, test the demo's workers (which browser/ tests in their own pages), need the names of shader functions, which
// pages get minified, or take long for what no browser changes.
const DRIVING = /^browser\//;
const NODE_ONLY =
  /^(cli|hostile|io|package|soak|tools)\/|^(bench\/(model|peers|variants)|data\/readers\/(idx|images|npy)|gpu\/instance\.node|demo\/(lab|pictures|runner)|gemm\/(matrix|selfTest)|models\/resnet|train\/(compiled|heap|jitter|losses|poison|realDigits|trainer)|ops\/shared\/rows|conformance)$/;
export const drivesBrowser = ({ name }) => DRIVING.test(name);
export const runsInPage = ({ name }) => !DRIVING.test(name) && !NODE_ONLY.test(name);

const isGemm = (name) => /^ops\/(conv2d|linear|matmul)$/.test(name);
// Ops whose kernels split their work otherwise on GPUs; of those of single elements, two.
const SPLIT =
  'accuracy add argmax avgPool2d batchNorm complementEntropy crossEntropy entropy layerNorm logSoftmax max maxPool2d relu rowNorm softmax softmaxColumnMean sum'.split(
    ' ',
  );
const splitsOtherwise = (name) => name.startsWith('ops/') && SPLIT.includes(name.slice(4));

/** Returns the profiles of a file in Node. */
export function profilesOf(name) {
  if (isGemm(name)) return GEMM;
  if (splitsOtherwise(name)) return ROWS;
  if (name.startsWith('ops/')) return OPS;
  if (/^optim\/(optimizer|clipGradNorm)$/.test(name)) return ['adapter', 'disordered'];
  // Ops reach only some variants of the GEMM kernels, this test all of them. It also computes in the adapter's own order.
  if (name === 'gemm/defineGemm') return ['disordered'];
  return name === 'golden' ? PORTABLE : DEFAULT;
}

/** Returns the profiles of a file in a page: within WebGPU's default limits, and ops with other kernels on GPUs also with those. */
export function pageProfilesOf(name) {
  if (name !== 'ops/linear' && (isGemm(name) || splitsOtherwise(name))) return ['default-limits', 'gemm-workgroup'];
  if (name.startsWith('ops/')) return ['default-limits'];
  return name === 'golden' ? ['default-limits'] : DEFAULT;
}

// Profiles in the order in which their runs start. Profiles with kernels of their own come first, because compiling takes longest;
// profiles that share kernels come last, when the shader cache has them.
const STARTS = ['gemm-workgroup-disordered', 'no-subgroups', 'adapter', 'disordered', 'no-subgroups-disordered'];

/** Sorts runs into the order in which they start. */
export function startingOrder(runs) {
  const place = ({ profile }) => (STARTS.includes(profile) ? STARTS.indexOf(profile) : STARTS.length);
  return [...runs].sort((a, b) => place(a) - place(b));
}

// With a cold shader cache, Mesa's lavapipe spends most of a run compiling. Without LLVM's optimisations it compiles about 40 %
// faster, and kernels run at half the speed. These tests keep the optimisations: golden checks kernels as users run them, and the
// others compute longer than they compile.
const OPTIMISED = /^(golden|cli\/resume|demo\/runner|soak\/lifecycle|train\/(heap|losses|realDigits))$/;

/** Returns the environment variables of a run. */
export const environmentOf = (name) => (OPTIMISED.test(name) ? {} : { GALLIVM_PERF: 'nopt' });

/** Lists the tests: `name` as in `ops/softmax`, `source`, and `file`, the built program (undefined if it was not built). */
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

/** Returns a run per file and profile, for the files that the filters pick (all without filters), or a message if a filter picks none. */
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
