// Counts what a piece of work asks of the WebGPU device, at the device itself and not in the engine's own books. The bench and
// the tests use it; no part of the library does.

/** Numbers of calls that a piece of work made. */
export interface CallCounts {
  submits: number;
  passes: number;
  dispatches: number;
  writeBuffers: number;
  buffers: number;
  bindGroups: number;
  pipelines: number;
}

/** Returns a list that grows with each shader module and pipeline that the device compiles from now on: "CALL LABEL". */
export function watchCompiling(device: GPUDevice): string[] {
  const seen: string[] = [];
  for (const name of ['createShaderModule', 'createComputePipeline', 'createComputePipelineAsync'] as const) {
    const original = (device[name] as (of: { label?: string }) => unknown).bind(device);
    Object.defineProperty(device, name, {
      configurable: true,
      value: (of: { label?: string }) => {
        seen.push(`${name} ${of.label}`);
        return original(of);
      },
    });
  }
  return seen;
}

/** Counts the calls that `work` makes: wraps the methods of the device, its queue, its encoders and passes while it runs. */
export function countCalls(device: GPUDevice, work: () => void): CallCounts {
  const counts: CallCounts = {
    submits: 0,
    passes: 0,
    dispatches: 0,
    writeBuffers: 0,
    buffers: 0,
    bindGroups: 0,
    pipelines: 0,
  };
  const undo: (() => void)[] = [];
  const wrap = <T extends object>(
    target: T,
    name: keyof T & string,
    count: keyof CallCounts | null,
    then?: (result: never) => void,
  ): void => {
    const original = target[name] as (...args: unknown[]) => unknown;
    // A test that changes the order of work (test/disorder.ts) has replaced the method too; restore its version.
    const before = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, {
      configurable: true,
      value: (...args: unknown[]) => {
        if (count) counts[count]++;
        const result = original.apply(target, args);
        then?.(result as never);
        return result;
      },
    });
    undo.push(() => (before ? Object.defineProperty(target, name, before) : Reflect.deleteProperty(target, name)));
  };
  wrap(device.queue, 'submit', 'submits');
  wrap(device.queue, 'writeBuffer', 'writeBuffers');
  wrap(device, 'createBuffer', 'buffers');
  wrap(device, 'createBindGroup', 'bindGroups');
  wrap(device, 'createComputePipeline', 'pipelines');
  wrap(device, 'createComputePipelineAsync', 'pipelines');
  wrap(device, 'createCommandEncoder', null, (encoder: GPUCommandEncoder) => {
    wrap(encoder, 'beginComputePass', 'passes', (pass: GPUComputePassEncoder) =>
      wrap(pass, 'dispatchWorkgroups', 'dispatches'),
    );
  });
  try {
    work();
  } finally {
    for (const step of undo) step();
  }
  return counts;
}

/** Counts the bytes of the buffers that the device makes from now on; `peak()` returns the most that existed at once. */
export function watchMemory(device: GPUDevice): { peak(): number; stop(): void } {
  let now = 0;
  let most = 0;
  const { createBuffer } = device;
  Object.defineProperty(device, 'createBuffer', {
    configurable: true,
    value: (descriptor: GPUBufferDescriptor) => {
      const buffer = createBuffer.call(device, descriptor);
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
