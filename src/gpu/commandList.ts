import type { Device } from './device.ts';
import { PARAMS_STRIDE, type ParamsRange, writeParam } from './params.ts';
import type { Dispatch, Patch, Refreshable } from './recording.ts';

/** A patch at its place in the uniform buffer, with the value written last. */
interface PlacedPatch extends Patch {
  last: number;
}

/** @internal Dispatches ready to encode any number of times: pipelines, bind groups, and their params in a uniform buffer. */
export class CommandList {
  private readonly pipelines: GPUComputePipeline[] = [];
  private readonly groups: GPUBindGroup[] = [];
  private readonly grids: Dispatch['grid'][] = [];
  private readonly patches: PlacedPatch[] = [];

  constructor(
    device: Device,
    readonly dispatches: readonly Dispatch[],
    private readonly readings: readonly Refreshable[],
    private readonly range: ParamsRange,
  ) {
    const bytes = new Uint8Array(range.chunk.bytes);
    let offset = range.byteOffset;
    for (const dispatch of dispatches) {
      bytes.set(new Uint8Array(dispatch.params), offset);
      for (const { scalar, offset: field, type } of dispatch.patches) {
        this.patches.push({ scalar, offset: offset + field, type, last: Number.NaN });
      }
      this.pipelines.push(dispatch.pipeline.get());
      this.groups.push(bindGroup(device, dispatch, range.chunk.buffer, offset));
      this.grids.push(dispatch.grid);
      offset += PARAMS_STRIDE;
    }
    range.chunk.touch(range.byteOffset, offset);
  }

  encode(pass: GPUComputePassEncoder): void {
    for (let i = 0; i < this.groups.length; i++) this.encodeOne(pass, i);
  }

  encodeOne(pass: GPUComputePassEncoder, i: number): void {
    const [x, y, z] = this.grids[i]!;
    pass.setPipeline(this.pipelines[i]!);
    pass.setBindGroup(0, this.groups[i]!);
    pass.dispatchWorkgroups(x, y, z);
  }

  /** Copies the scalars' values for this run into the host's copy of the uniform buffer. */
  patchParams(): void {
    for (const reading of this.readings) reading.refresh();
    const { chunk } = this.range;
    for (const patch of this.patches) {
      const { value } = patch.scalar;
      if (value !== patch.last) {
        writeParam(chunk.view, patch.offset, patch.type, value);
        chunk.touch(patch.offset, patch.offset + 4);
        patch.last = value;
      }
    }
  }

  /** Writes changed params to the GPU. Lists that share a uniform buffer share the write. */
  writeParams(): void {
    this.range.chunk.flush();
  }

  dispose(): void {
    this.range.chunk.release();
  }
}

/** @internal Makes the bind group of a dispatch. */
export function bindGroup(
  device: Device,
  { pipeline, bindings, label }: Dispatch,
  params: GPUBuffer,
  paramsOffset: number,
): GPUBindGroup {
  const entries: GPUBindGroupEntry[] = bindings.map(({ storage, byteOffset, byteLength }, i) => ({
    binding: pipeline.bindings[i]!.index,
    // Kernels read whole vec4, also at the end of a tensor. The padding after it belongs to its buffer.
    resource: {
      buffer: storage.buffer,
      offset: byteOffset,
      size: Math.min(Math.ceil(byteLength / 16) * 16 || 16, storage.buffer.size - byteOffset),
    },
  }));
  if (pipeline.paramsBinding) {
    entries.push({
      binding: pipeline.paramsBinding.index,
      resource: { buffer: params, offset: paramsOffset, size: pipeline.paramsSize },
    });
  }
  return device.handle.createBindGroup({ label, layout: pipeline.bindGroupLayout, entries });
}
