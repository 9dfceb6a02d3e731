import { GpuError } from './errors.ts';

/** Returns the WebGPU of the browser, or of Deno. Their own flags decide about experimental features. */
export async function webgpu(_features?: readonly string[]): Promise<GPU> {
  if (globalThis.navigator?.gpu) return navigator.gpu;
  const why =
    globalThis.isSecureContext === false
      ? 'the page is not served over https or from localhost'
      : 'this browser or Deno does not have it';
  throw new GpuError(
    'NO_WEBGPU',
    `createGpu: navigator.gpu is missing: ${why}; use a current Chrome, Edge, Firefox, Safari (over https) or Deno`,
  );
}

/** Awaits a promise of the GPU. A browser waits in another process, so nothing is to be done here. */
export const patiently = <T>(promise: Promise<T>): Promise<T> => promise;
