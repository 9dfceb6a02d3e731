// One entry point of a module as WebGPU compiles it: at its first use or, before that, in the background. An error in the WGSL is
// thrown with the lines at fault.
import type { Device } from './device.ts';
import { GpuError } from './errors.ts';
import { SHADER_STAGE_COMPUTE } from './native.ts';
import { type WgslBinding, type WgslModule, withLanes } from './wgsl.ts';

/** @internal What is constant in a pipeline: its overrides, and the lanes of a subgroup that it asks for. */
export interface PipelineOptions {
  constants?: Readonly<Record<string, number>>;
  lanes?: number | undefined;
}

/** @internal One entry point with its constants and its layout of bindings. It is compiled at its first use. */
export class Pipeline {
  /** The bindings, in the order of the names given. */
  readonly bindings: readonly WgslBinding[];
  readonly paramsBinding: WgslBinding | undefined;
  readonly constants: Readonly<Record<string, number>>;
  private readonly code: string;
  private layout: GPUBindGroupLayout | undefined;
  private compiled: GPUComputePipeline | undefined;
  private compiling: Promise<GPUComputePipeline> | undefined;

  constructor(
    private readonly device: Device,
    readonly label: string,
    readonly module: WgslModule,
    private readonly entry: string,
    names: readonly string[],
    { constants = {}, lanes }: PipelineOptions,
  ) {
    this.constants = constants;
    this.code = lanes ? withLanes(module.code, entry, lanes) : module.code;
    this.bindings = names.map((name) => {
      const binding = module.bindings.get(name);
      if (binding) return binding;
      throw new GpuError(
        'KERNEL',
        `${label}: the kernel has no binding '${name}'; it declares {${[...module.bindings.keys()]}}`,
      );
    });
    this.paramsBinding =
      module.paramsSize > 0 ? [...module.bindings.values()].find((b) => b.type === 'uniform') : undefined;
  }

  /** Bytes of this kernel's `Params`. */
  get paramsSize(): number {
    return this.paramsBinding ? this.module.paramsSize : 0;
  }

  /** The layout of the bind group. */
  get bindGroupLayout(): GPUBindGroupLayout {
    if (this.layout) return this.layout;
    const all = this.paramsBinding ? [...this.bindings, this.paramsBinding] : this.bindings;
    const storage = all.length - (this.paramsBinding ? 1 : 0);
    const limit = this.device.limits.maxStorageBuffersPerShaderStage!;
    if (storage > limit)
      throw new GpuError(
        'LIMIT',
        `${this.label}: binds ${storage} storage buffers, but this device allows only ${limit}`,
      );
    this.layout = this.device.handle.createBindGroupLayout({
      label: this.label,
      entries: all.map(({ index, type }) => ({ binding: index, visibility: SHADER_STAGE_COMPUTE, buffer: { type } })),
    });
    return this.layout;
  }

  /** Returns the pipeline and compiles it if necessary. An error in the WGSL is thrown at the next read. */
  get(): GPUComputePipeline {
    if (this.compiled) return this.compiled;
    const { device } = this;
    this.compiled = device.scoped(
      'validation',
      () => device.handle.createComputePipeline(this.descriptor()),
      (error) => this.explain(error.message),
    );
    return this.compiled;
  }

  get isCompiled(): boolean {
    return this.compiled !== undefined;
  }

  /** Compiles the pipeline once, in the background, so that many pipelines compile at the same time. */
  async compile(): Promise<void> {
    if (this.compiled) return;
    try {
      this.compiling ??= this.device.handle.createComputePipelineAsync(this.descriptor());
      const compiled = await this.compiling;
      this.compiled ??= compiled;
    } catch (error) {
      throw await this.explain((error as Error).message);
    }
  }

  private descriptor(): GPUComputePipelineDescriptor {
    const { handle } = this.device;
    return {
      label: this.label,
      layout: handle.createPipelineLayout({ label: this.label, bindGroupLayouts: [this.bindGroupLayout] }),
      compute: { module: this.shader(), entryPoint: this.entry, constants: { ...this.constants } },
    };
  }

  private shader(): GPUShaderModule {
    const { handle, shaders } = this.device;
    let shader = shaders.get(this.code);
    if (!shader) {
      shader = handle.createShaderModule({ label: this.label, code: this.code });
      shaders.set(this.code, shader);
    }
    return shader;
  }

  private async explain(message: string): Promise<GpuError> {
    const info = await this.shader()
      .getCompilationInfo()
      .catch((cause) => this.device.unanswered(this.label, cause));
    const lines = this.code.split('\n');
    const faults = info.messages.filter((m) => m.type === 'error');
    const shown = faults.map((m) => `  line ${m.lineNum}: ${m.message}\n    ${lines[m.lineNum - 1]?.trim() ?? ''}`);
    return new GpuError(
      'KERNEL',
      `${this.label}: the kernel does not compile\n${shown.length ? shown.join('\n') : message}`,
    );
  }
}
