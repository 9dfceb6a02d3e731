import { GpuError } from './errors.ts';

// Dawn's instance must stay alive as long as the process: dropping it while a device lives crashes the process.
let instance: Promise<GPU> | undefined;

/** The process's one WebGPU instance: Dawn, out of the npm package `webgpu`. */
export function webgpu(): Promise<GPU> {
  instance ??= load();
  return instance;
}

async function load(): Promise<GPU> {
  try {
    const dawn = await import('webgpu');
    // Without this Dawn rounds timestamps to 65,536 ns, which is longer than most kernels run.
    return dawn.create(['disable-dawn-features=timestamp_quantization']);
  } catch (cause) {
    throw new GpuError(
      'NO_WEBGPU',
      `createGpu: the package 'webgpu' (Dawn for Node) could not be loaded: ${(cause as Error).message}; run \`npm i webgpu\``,
      { cause },
    );
  }
}
