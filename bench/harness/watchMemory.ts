/** Counts the bytes of all buffers that a device makes from now on, at the device itself, and the most there were at once. */
export function watchMemory(device: GPUDevice): { peak(): number; stop(): void } {
  let now = 0;
  let most = 0;
  const create = device.createBuffer;
  Object.defineProperty(device, 'createBuffer', {
    configurable: true,
    value: (descriptor: GPUBufferDescriptor) => {
      const buffer = create.call(device, descriptor);
      now += buffer.size;
      most = Math.max(most, now);
      const destroy = buffer.destroy;
      let alive = true;
      Object.defineProperty(buffer, 'destroy', {
        configurable: true,
        value: () => {
          if (alive) now -= buffer.size;
          alive = false;
          return destroy.call(buffer);
        },
      });
      return buffer;
    },
  });
  return { peak: () => most, stop: () => Reflect.deleteProperty(device, 'createBuffer') };
}
