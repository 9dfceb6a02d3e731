// Compiles the project's kernels for real GPUs, without one: `npm run gpu-compile [-- [--check | --update | --model] [FAMILY ...]]`. README.md
// explains the results.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const DEFAULT = ['navi31', 'navi21', 'vega10', 'gfx1200'];
// --check and --update compile the hot kernels for these families, so that they take about a minute.
const CHECKED = ['navi31', 'navi21', 'gfx1200', 'dg2'];
const HOT = '^(CNN step|PADA step|workgroup .*: (matmul aligned|conv2d .*)|matrix.*: matmul aligned)$';
// --model compiles for these families what the cost model predicts: the steps, some benches, and matmul in each tile.
const MODELLED = ['navi31', 'dg2'];
const MODEL = '^(run .*|workgroup .*: matmul aligned)$';
const INTEL = ['tgl', 'adl', 'dg2', 'mtl'];
const ICDS = ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

const tool = fileURLToPath(new URL('.', import.meta.url));
const build = resolve('.build/gpu-compile');
const { CC = 'gcc', GPU_COMPILE_SUBGROUP: lanes, GPU_COMPILE_SECONDS: seconds = '900' } = process.env;

class Failure extends Error {}

function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit', ...options });
  return !error && status === 0;
}

/** Finds a header of the system, or unpacks its package without root. Installed, it might conflict with newer drivers. */
function needHeader(file, debianPackage) {
  const root = join(build, 'root');
  if (existsSync(join('/usr/include', file)) || existsSync(join(root, 'usr/include', file))) return;
  mkdirSync(root, { recursive: true });
  const quiet = { cwd: root, stdio: 'ignore' };
  const archive = () => readdirSync(root).find((name) => name.startsWith(`${debianPackage}_`));
  if (!run('apt-get', ['-qq', 'download', debianPackage], quiet) || !run('dpkg', ['-x', archive(), '.'], quiet))
    throw new Failure(`needs ${file}: apt-get install ${debianPackage}`);
  rmSync(join(root, archive()));
}

/** Compiles a C source to a library, unless the library is newer. */
function compile(source, library, visibility, headers) {
  const [from, to] = [join(tool, source), join(build, library)];
  if (existsSync(to) && statSync(to).mtimeMs > statSync(from).mtimeMs) return;
  for (const [file, debianPackage] of headers) needHeader(file, debianPackage);
  const include = join(build, 'root/usr/include');
  const folders = [include, join(include, 'libdrm'), '/usr/include/libdrm'].map((folder) => `-I${folder}`);
  const flags = ['-O1', '-Wall', '-fPIC', '-shared', `-fvisibility=${visibility}`, ...folders];
  if (!run(CC, [...flags, from, '-o', to]))
    throw new Failure(`${source} does not compile; a C compiler is needed: apt-get install gcc`);
}

/** Returns the description of an installed Vulkan driver. */
function driver(name) {
  for (const folder of ICDS.filter(existsSync)) {
    const file = readdirSync(folder).find((entry) => entry.startsWith(`${name}_icd.`) && entry.endsWith('.json'));
    if (file) return join(folder, file);
  }
  throw new Failure(
    `Mesa's driver ${name} is not installed: apt-get install mesa-vulkan-drivers (tested: Mesa 25.0; Dawn refuses 22.3)`,
  );
}

function settingsOf(family) {
  if (!INTEL.includes(family)) return { VK_DRIVER_FILES: driver('radeon'), RADV_FORCE_FAMILY: family };
  compile('intelShim.c', 'libintel_shim.so', 'default', [['libdrm/i915_drm.h', 'libdrm-dev']]);
  return {
    VK_DRIVER_FILES: driver('intel'),
    GPU_COMPILE_INTEL: family,
    LD_PRELOAD: join(build, 'libintel_shim.so'),
  };
}

/** Compiles for one family. Returns the folder of the results, or undefined if there are none. */
function compileFor(family, only) {
  const out = join(build, lanes ? `${family}-${lanes}` : family);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  process.stderr.write(`gpu-compile: ${family}\n`);
  const env = {
    ...process.env,
    ...settingsOf(family),
    GPU_COMPILE_OUT: out,
    ...(only && { GPU_COMPILE_ONLY: only }),
    VK_LAYER_PATH: build,
    VK_INSTANCE_LAYERS: 'VK_LAYER_gpu_compile',
    MESA_SHADER_CACHE_DISABLE: '1',
  };
  const errors = openSync(join(out, 'errors.txt'), 'w');
  const args = [seconds, 'nice', 'node', '--enable-source-maps', join(build, 'kernels.mjs')];
  const worked = run('timeout', args, { env, stdio: ['ignore', 'inherit', errors] });
  closeSync(errors);
  if (!worked) {
    const lines = readFileSync(join(out, 'errors.txt'), 'utf8').split('\n');
    const ours = lines.filter((line) => !/invalid pci bus info|not a recognized processor/.test(line));
    process.stderr.write(`${ours.join('\n')}\ngpu-compile: ${family}: not everything compiled, see above\n`);
  }
  const log = join(out, 'log.jsonl');
  return { out, worked, hasResults: existsSync(log) && statSync(log).size > 0 };
}

const node = (program, args) => run('node', [join(tool, program), ...args]);

try {
  if (!existsSync('node_modules/webgpu') || !existsSync('shaders'))
    throw new Failure("run it in the project's root, after `npm run setup`");
  mkdirSync(build, { recursive: true });
  compile('layer.c', 'libgpu_compile.so', 'hidden', [['vulkan/vk_layer.h', 'libvulkan-dev']]);
  copyFileSync(join(tool, 'layer.json'), join(build, 'layer.json'));
  if (!node('bundle.mjs', [join(build, 'kernels.mjs')])) throw new Failure('the bundle failed');
  const args = process.argv.slice(2);
  const mode = args.find((arg) => arg.startsWith('--'));
  if (mode && !['--check', '--update', '--model'].includes(mode))
    throw new Failure(`unknown option ${mode}; use --check, --update or --model`);
  if (mode && lanes) throw new Failure(`${mode} is for the lanes that the driver chooses; unset GPU_COMPILE_SUBGROUP`);
  const asked = args.filter((arg) => arg !== mode);
  const isModel = mode === '--model';
  if (isModel && asked.length > 0) throw new Failure('--model is for the families that the model uses; name none');
  const families = asked.length > 0 ? asked : isModel ? MODELLED : mode ? CHECKED : DEFAULT;
  const made = families.map((family) => compileFor(family, isModel ? MODEL : mode && HOT));
  const folders = made.filter(({ hasResults }) => hasResults).map(({ out }) => out);
  if (mode && made.some(({ worked }) => !worked)) throw new Failure(`${mode} needs everything to compile`);
  const reported =
    folders.length > 0 &&
    (isModel
      ? node('model.mjs', folders)
      : mode
        ? node('check.mjs', mode === '--update' ? [mode, ...folders] : folders)
        : node('report.mjs', folders));
  process.exitCode = reported ? 0 : 1;
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  process.stderr.write(`gpu-compile: ${error.message}\n`);
  process.exitCode = 1;
}
