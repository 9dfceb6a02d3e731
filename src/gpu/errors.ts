/** Why a {@link GpuError} was thrown. */
export type GpuErrorCode =
  | 'NO_WEBGPU' // there is no WebGPU: the package `webgpu` is missing, or the browser lacks it
  | 'NO_ADAPTER' // WebGPU found no adapter that meets the request
  | 'GPU_LOST' // the device was lost, and its tensors with it
  | 'GPU_DISPOSED' // the Gpu was used after dispose()
  | 'GPU_VALIDATION' // the device refused a command: there is a bug in a kernel or its caller
  | 'GPU_OUT_OF_MEMORY' // the device ran out of memory
  | 'LIMIT' // a request exceeds a limit of the device
  | 'CAPTURE' // a captured step cannot repeat something
  | 'DISPOSED' // a tensor was used after its dispose()
  | 'KERNEL'; // a kernel does not compile, or was called with bindings or params that its WGSL does not declare

/** An error of the GPU layer. `code` names the cause; the message says what to do. */
export class GpuError extends Error {
  override name = 'GpuError';
  constructor(
    readonly code: GpuErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
