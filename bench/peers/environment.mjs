// Makes Node look like a browser for libraries that use WebGPU: Dawn becomes `navigator.gpu`.
import { globals } from 'webgpu';

/** Installs `gpu`, the process's Dawn. Returns a list that grows with each device that is opened. */
export function browserLike(gpu) {
  Object.assign(globalThis, globals);
  acceptSharedMemory();
  const devices = [];
  const requestAdapter = gpu.requestAdapter.bind(gpu);
  const watched = {
    wgslLanguageFeatures: gpu.wgslLanguageFeatures ?? new Set(),
    getPreferredCanvasFormat: () => 'bgra8unorm',
    async requestAdapter(options) {
      const adapter = await requestAdapter(options);
      const requestDevice = adapter.requestDevice.bind(adapter);
      Object.defineProperty(adapter, 'requestDevice', {
        value: async (descriptor) => {
          const device = await requestDevice(descriptor);
          devices.push(device);
          return device;
        },
      });
      return adapter;
    },
  };
  const value = {
    gpu: watched,
    userAgent: 'Node',
    platform: process.platform,
    maxTouchPoints: 0,
    hardwareConcurrency: 1,
  };
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true, writable: true });
  return devices;
}

// onnxruntime-web keeps its memory in a SharedArrayBuffer. Browsers' writeBuffer accepts it and Dawn's for Node refuses it, so the
// bytes are copied. Inputs are uploaded before anything is timed.
function acceptSharedMemory() {
  const { prototype } = globalThis.GPUQueue;
  const write = prototype.writeBuffer;
  prototype.writeBuffer = function writeBuffer(buffer, offset, data, ...range) {
    const memory = ArrayBuffer.isView(data) ? data.buffer : data;
    if (!(memory instanceof SharedArrayBuffer)) return write.call(this, buffer, offset, data, ...range);
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
    const [from = 0, size = view.length - from] = range;
    return write.call(this, buffer, offset, view.slice(from, from + size));
  };
}
