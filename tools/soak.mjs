// Tests that take too long for `npm test`, in parts: `npm run soak -- [PART ...] [NAME ...]`, all parts by default. NAME as in `npm test`
// runs those tests of the parts, or with the numbers of the part `long`. Environment variables that are already set are kept.
// REQUIRE_GPU=1 lets a part that is skipped fail.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { environment, Failure, say } from '../src/cli/setup/process.mjs';
import { swiftShader, unpackSwiftShader } from '../src/cli/setup/swiftshader.mjs';
import { missing, newestMesa } from './soak/newestMesa.mjs';
import { report } from './soak/report.mjs';

// How often the part `long` repeats things.
const NUMBERS = {
  PADAGRAD_INPUTS: '10000', // hostile inputs for each reader
  PADAGRAD_KILLS: '30', // of one run of the command line
  PADAGRAD_LOSSES: '100', // of a training's devices
  PADAGRAD_STEPS: '20000', // captured PADA steps
  PADAGRAD_IMAGES: '10000', // JPEG files in a folder
  PADAGRAD_CYCLES: '500', // of opening and disposing a Gpu
  PADAGRAD_CAPTURES: '200',
  PADAGRAD_PROGRAMS: '10000', // random programs, captured and eager
  PADAGRAD_INSTALL: '1', // whether the examples run with the packages and programs that they name, installed from npm
};
const LONG = ['hostile/', 'cli/resume', 'train/losses', 'soak/', 'programs', 'package/examples'];
const SECONDS = String(4 * 3600);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// The kernels of software adapters and those of GPUs.
const KERNELS = ['ops/', 'optim/', 'golden', 'gemm/defineGemm'];
const FAMILIES = ['adapter', 'gemm-workgroup'];
const SWIFTSHADER = '.build/swiftshader';

/** lavapipe with this number of lanes per subgroup; it has 8 by default, and 16 at most. */
const withLanes = (lanes) => ({
  env: { LP_NATIVE_VECTOR_WIDTH: String(32 * lanes) },
  wants: `lavapipe with ${lanes} lanes`,
  suits: (info) => /llvmpipe/.test(info.device) && info.lanes === lanes,
});

/**
 * The parts: `tests` to run and their `profiles`, changes of `env`, an adapter or compiler that it `wants` and `suits` recognises,
 * `missing` to tell why this machine cannot run it, and `prepare` to return the programs that start Node, or changes of the environment.
 */
const PARTS = {
  long: { tests: LONG, env: { ...NUMBERS, ...process.env } },
  'lanes-4': { ...withLanes(4), tests: KERNELS, profiles: FAMILIES },
  'lanes-16': { ...withLanes(16), tests: KERNELS, profiles: FAMILIES },
  // Dawn leaves the bounds of storage buffers to Vulkan drivers that check them, as lavapipe does. On other drivers and in Metal and
  // Direct3D, Tint clamps the indices.
  robustness: {
    tests: KERNELS,
    profiles: FAMILIES,
    wants: 'a compiler that clamps indices',
    suits: (_, compiled) => /\bU?[mM]in\b/.test(compiled),
    env: {
      PADAGRAD_DAWN_DISABLED: 'vulkan_use_buffer_robust_access_2',
      NODE_OPTIONS: `--import ${new URL('./soak/dawnFlags.mjs', import.meta.url)}`,
    },
  },
  'default-limits': { tests: [...KERNELS, 'nn/', 'models/', 'train/'], profiles: ['default-limits'] },
  swiftshader: {
    tests: KERNELS,
    profiles: FAMILIES,
    wants: 'SwiftShader',
    suits: ({ device }) => /swiftshader/i.test(device),
    prepare() {
      if (!swiftShader(SWIFTSHADER)) unpackSwiftShader(SWIFTSHADER);
      return { env: swiftShader(SWIFTSHADER) };
    },
  },
  'newest-mesa': {
    // It has subgroup matrices. NaN is recognised by its bits, which a compiler may take to be impossible.
    tests: [...KERNELS, 'gemm/precision', 'debug/anomaly', 'train/anomaly', 'train/poison'],
    profiles: FAMILIES,
    wants: 'lavapipe with LLVM 19 or newer',
    suits: ({ description }) => Number(/LLVM (\d+)/.exec(description)?.[1]) >= 19,
    missing,
    prepare: () => ({ program: newestMesa() }),
  },
};

/** Runs a part. Returns its verdict, `more` about it and its adapter, as {@link report} takes them. */
async function run(name) {
  const part = PARTS[name];
  const cannot = part.missing?.();
  if (cannot) return { verdict: 'skipped', more: cannot };
  const { env, program = [] } = part.prepare?.() ?? {};
  const options = { env: environment({ ...part.env, ...env, ...shaderCache(name) }) };
  const [first, ...rest] = [...program, process.execPath, here('./soak/adapterInfo.mjs')];
  const compiled = spawnSync(first, rest, options).stdout?.toString() || '{}';
  const info = JSON.parse(compiled.split('\n').at(-1));
  const adapter = info.description ?? 'no adapter';
  const lanes = info.lanes === undefined ? '' : ` with ${info.lanes} lanes`;
  if (part.wants && !(info.device && part.suits(info, compiled)))
    return { verdict: 'skipped', more: `it takes ${part.wants}, and here is ${adapter}${lanes}` };
  const profiles = (part.profiles ?? []).flatMap((profile) => ['--profile', profile]);
  // One job, because some of these tests measure memory and time.
  const args = [
    here('./test.mjs'),
    ...(tests.length > 0 ? tests : part.tests),
    ...profiles,
    '--jobs',
    '1',
    '--seconds',
    SECONDS,
  ];
  return { ...(await watch([...program, process.execPath, ...args], options)), adapter };
}

/** Runs a program, shows its output and returns its verdict and its last line, which has the counts of a test run. */
async function watch([program, ...args], options) {
  const child = spawn(program, args, { ...options, stdio: ['inherit', 'pipe', 'inherit'] });
  let end = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    end = (end + text).slice(-1000);
  });
  const [code] = await once(child, 'close');
  return { verdict: code === 0 ? 'passed' : 'FAILED', more: end.trimEnd().split('\n').at(-1) };
}

// lavapipe's cache does not tell kernels apart that were compiled for other lanes.
const shaderCache = (name) => ({ MESA_SHADER_CACHE_DIR: `.build/shaders/${name}` });

const isPart = (name) => Object.hasOwn(PARTS, name);
const names = process.argv.slice(2);
const tests = names.filter((name) => !isPart(name));
const named = names.filter(isPart);
const chosen = named.length > 0 ? named : tests.length > 0 ? ['long'] : Object.keys(PARTS);
const outcomes = [];
for (const name of chosen) {
  say(`soak: ${name}`);
  const start = performance.now();
  const outcome = await run(name).catch((error) => {
    if (!(error instanceof Failure)) throw error;
    return { verdict: 'FAILED', more: error.message };
  });
  outcomes.push({ name, ...outcome, minutes: (performance.now() - start) / 60_000 });
}
const { lines, exitCode } = report(outcomes, process.env.REQUIRE_GPU === '1');
for (const line of lines) say(line);
// A part that is misspelled is taken for the name of a test.
if (exitCode !== 0 && tests.length > 0) say(`soak: the parts are ${Object.keys(PARTS).join(', ')}`);
process.exitCode = exitCode;
