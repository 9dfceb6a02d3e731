/** Why a {@link GpuError} was thrown. */
export type GpuErrorCode =
  | 'NO_WEBGPU' // no WebGPU at all: the `webgpu` package is missing, or the browser has none
  | 'NO_ADAPTER' // WebGPU is there, but no adapter that meets the request
  | 'GPU_LOST' // the device was lost; its tensors are gone
  | 'GPU_DISPOSED' // use after dispose()
  | 'GPU_VALIDATION' // the device refused a command: a fault in a kernel or in its caller
  | 'GPU_OUT_OF_MEMORY' // the device ran out of memory
  | 'LIMIT' // asked for more than a limit of the device
  | 'CAPTURE' // something a captured step cannot replay
  | 'DISPOSED' // a tensor was used after its dispose()
  | 'KERNEL'; // a kernel was called with other bindings or params than its WGSL declares

/** An error of the GPU layer; `code` tells the cause apart, the message says what to do. */
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
