/** What a piece of work asked of the device. */
export interface CallCounts {
  submits: number;
  passes: number;
  dispatches: number;
  writeBuffers: number;
  buffers: number;
  bindGroups: number;
  pipelines: number;
}

/** Lists what is compiled at the device itself from now on, each by its call and its label. */
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

/**
 * Counts calls at the device itself, not in the engine's books: the methods are wrapped while `work` runs. Passes and
 * dispatches are counted on the encoders that the device hands out meanwhile.
 */
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
    // Another order of work replaces the method too (disorder.ts), and must stay.
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
