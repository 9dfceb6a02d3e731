import { GpuError } from './errors.ts';

/** The browser's WebGPU; which experiments that has is for its own flags to say. */
export async function webgpu(_features?: readonly string[]): Promise<GPU> {
  if (globalThis.navigator?.gpu) return navigator.gpu;
  const why =
    globalThis.isSecureContext === false
      ? 'the page is not served over https or from localhost'
      : 'this browser has none';
  throw new GpuError(
    'NO_WEBGPU',
    `createGpu: navigator.gpu is missing: ${why}; use a current Chrome, Edge, Firefox or Safari over https`,
  );
}

/** Awaits a promise of the GPU; a browser waits in a process of its own. */
export const patiently = <T>(promise: Promise<T>): Promise<T> => promise;
