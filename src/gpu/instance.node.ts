import { GpuError } from './errors.ts';

// Dawn's instances live as long as the process. Dropping one while a device lives crashes the process.
const instances = new Map<boolean, Promise<GPU>>();

/** Returns the WebGPU instance of the process, from the npm package `webgpu` (Dawn). Experimental features need a second one. */
export function webgpu(features: readonly string[] = []): Promise<GPU> {
  const experiments = features.some((feature) => feature.includes('experimental'));
  let instance = instances.get(experiments);
  if (!instance) {
    instance = load(experiments);
    instances.set(experiments, instance);
  }
  return instance;
}

async function load(experiments: boolean): Promise<GPU> {
  try {
    const dawn = await import('webgpu');
    // By default Dawn rounds timestamps to 65,536 ns, which is longer than most kernels run.
    const toggles = ['disable-dawn-features=timestamp_quantization'];
    if (experiments) toggles.push('enable-dawn-features=allow_unsafe_apis');
    return dawn.create(toggles);
  } catch (cause) {
    const { message } = cause as Error;
    throw new GpuError(
      'NO_WEBGPU',
      `createGpu: the package 'webgpu' (Dawn for Node) could not be loaded: ${message}; ${remedyOf(cause as Error)}`,
      { cause },
    );
  }
}

/** Tells what to do if Dawn cannot be loaded: its package is missing, or its native library, or the library does not load. */
export function remedyOf({ message, code = '' }: Error & { code?: string }): string {
  const permission = /--allow-\w+/.exec(message);
  if (permission)
    return `run Deno with ${permission} or -A, or import 'padagrad' from npm, which uses Deno's own WebGPU`;
  if (message.includes('dawn.node') && code === 'MODULE_NOT_FOUND')
    return 'if a bundler took it in, leave it out of the bundle (`esbuild --external:webgpu`); otherwise it has no build for this machine';
  return code.endsWith('MODULE_NOT_FOUND')
    ? 'run `npm i webgpu`'
    : 'run `npm i webgpu` again; on Alpine use an image with glibc';
}

// While a promise is pending, Dawn polls in every turn of Node's event loop. That keeps a core busy, which a software adapter
// needs for computing. So after a moment the thread sleeps briefly in each turn.
const ALERT_MS = 1;
const NAP_MS = 0.2;
const pillow = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let since = 0;
let napping = false;

function nap(): void {
  napping = waiting > 0;
  if (!napping) return;
  if (performance.now() - since > ALERT_MS) Atomics.wait(pillow, 0, 0, NAP_MS);
  setImmediate(nap);
}

/** Awaits a promise of the GPU without keeping a core busy. */
export async function patiently<T>(promise: Promise<T>): Promise<T> {
  if (waiting++ === 0) since = performance.now();
  // Another wait may begin before the loop of naps notices that the first has ended. Then the loop continues, and only once.
  if (!napping) setImmediate(nap);
  napping = true;
  try {
    return await promise;
  } finally {
    waiting--;
  }
}
