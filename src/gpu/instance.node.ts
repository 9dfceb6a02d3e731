import { GpuError } from './errors.ts';

// Dawn's instances must stay alive as long as the process: dropping one while a device lives crashes the process.
const instances = new Map<boolean, Promise<GPU>>();

/** The process's one WebGPU instance, or its one with experiments: Dawn, out of the npm package `webgpu`. */
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
    // Without this Dawn rounds timestamps to 65,536 ns, which is longer than most kernels run.
    const toggles = ['disable-dawn-features=timestamp_quantization'];
    if (experiments) toggles.push('enable-dawn-features=allow_unsafe_apis');
    return dawn.create(toggles);
  } catch (cause) {
    throw new GpuError(
      'NO_WEBGPU',
      `createGpu: the package 'webgpu' (Dawn for Node) could not be loaded: ${(cause as Error).message}; run \`npm i webgpu\``,
      { cause },
    );
  }
}

// While a promise of its own is pending, Dawn asks for news in every turn of Node's event loop, which keeps a core busy: one
// that a software adapter computes on. So after a moment the thread naps in each turn.
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
  // One wait may follow upon another before the nap notices: it goes on, and must not be joined by a second one.
  if (!napping) setImmediate(nap);
  napping = true;
  try {
    return await promise;
  } finally {
    waiting--;
  }
}
