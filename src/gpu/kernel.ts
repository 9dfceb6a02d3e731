// `defineKernel` turns WGSL into functions: one per entry point, which binds tensors and numbers by the names in the WGSL, checks them, and
// records a dispatch. All ops launch their kernels through it, and your own ops can.
import { anything, atLeast, checkOptions, type OptionChecks, show, wholeFrom } from '../checks/options.ts';
import { GpuError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import { writeParam } from './params.ts';
import { Pipeline, type PipelineOptions } from './pipeline.ts';
import type { Dispatch, Patch } from './recording.ts';
import { overflowsF32, Scalar, scalarValue } from './scalar.ts';
import type { Content } from './storage.ts';
import { parseWgsl, type WgslField, type WgslModule } from './wgsl.ts';

/** Memory that a kernel can bind. Tensors are bindings. */
export interface Binding extends Content {
  readonly gpu: Gpu;
  readonly dtype: 'f32' | 'u32';
}

/** Workgroups: their number (split over two dimensions if it exceeds the limit of one), or the three dimensions. */
export type Grid = number | readonly [x: number, y?: number, z?: number];

/** Numbers for the fields of `struct Params`, by name. A {@link Scalar} may change from run to run. */
export type Params = Readonly<Record<string, number | Scalar>>;

/** Options of a {@link Launch}. */
export interface LaunchOptions {
  /** Values of the module's `override` constants, by name. Default: those in the WGSL. */
  constants?: Readonly<Record<string, number>>;
  /** Lanes of a subgroup; needs the feature `subgroup-size-control` and workgroups of a multiple in x. Default: the driver's choice. */
  lanes?: number | undefined;
  /** Floating-point operations of the dispatch, for profiles. Default: 0, not counted. */
  flops?: number;
  /** Bytes that the dispatch reads and writes, for profiles. Default: the bytes of all bindings, each counted once. */
  bytes?: number;
}

const launchChecks: OptionChecks<LaunchOptions> = {
  constants: anything,
  lanes: /* @__PURE__ */ wholeFrom(1),
  flops: /* @__PURE__ */ atLeast(0),
  bytes: /* @__PURE__ */ atLeast(0),
};

/** Records one dispatch of an entry point. `bindings` holds tensors by the names of the module's variables. */
export type Launch = (
  bindings: Readonly<Record<string, Binding>>,
  params: Params,
  grid: Grid,
  options?: LaunchOptions,
) => void;

/** A kernel: one function per entry point of its WGSL. */
export type Kernel<Entry extends string> = Readonly<Record<Entry, Launch>>;

/**
 * Declares a kernel from WGSL text and the names of its entry points. Several texts are joined into one module. Nothing touches
 * the GPU before the first call; each Gpu compiles each pipeline once.
 *
 * ```ts
 * const kernel = defineKernel('relu', source, ['forward', 'backward']);
 * kernel.forward({ x, y }, { size }, Math.ceil(size / 64));
 * ```
 */
export function defineKernel<const Entry extends string>(
  name: string,
  source: string | readonly string[],
  entries: readonly Entry[],
): Kernel<Entry> {
  let parsed: WgslModule | undefined;
  const module = () => {
    parsed ??= parseWgsl(name, typeof source === 'string' ? [source] : source);
    return parsed;
  };
  const launch =
    (entry: Entry): Launch =>
    (bindings, params, grid, options = {}) => {
      const label = `${name}.${entry}`;
      checkOptions(label, options, launchChecks);
      const { constants = {}, lanes, flops = 0, bytes = sizeOf(bindings) } = options;
      const names = Object.keys(bindings);
      const gpu = commonGpu(label, bindings, names);
      const pipeline = pipelineOf(gpu, module(), label, entry, names, { constants, lanes });
      const size = gridOf(label, grid, gpu.device.limits.maxComputeWorkgroupsPerDimension!);
      if (size[0] * size[1] * size[2] === 0) return;
      for (const [i, name] of names.entries()) {
        const binding = bindings[name]!;
        if (pipeline.bindings[i]!.type !== 'storage') gpu.queue.onRead?.(binding);
        else if (binding.version) gpu.queue.change(binding.version);
      }
      // The ranges as they are now: a tensor may be disposed or moved before the work is encoded.
      const ranges = names.map((name, i) => rangeOf(label, name, bindings[name]!, pipeline.bindings[i]!.dtype));
      gpu.queue.push({
        ...{ pipeline, label, bindings: ranges, grid: size, flops, bytes },
        ...packParams(label, module(), params),
      });
    };
  return Object.fromEntries(entries.map((entry) => [entry, launch(entry)])) as unknown as Kernel<Entry>;
}

const sizeOf = (bindings: Readonly<Record<string, Binding>>): number =>
  [...new Set(Object.values(bindings))].reduce((sum, binding) => sum + (binding?.byteLength ?? 0), 0);

function commonGpu(label: string, bindings: Readonly<Record<string, Binding>>, names: readonly string[]): Gpu {
  const [first] = names;
  if (first === undefined) throw new GpuError('KERNEL', `${label}: no tensor was bound; bind one at least`);
  const gpu = bindings[first]?.gpu;
  for (const name of names) {
    const binding = bindings[name];
    // A disposed tensor throws when its storage is read.
    if (!binding?.storage) throw new TypeError(`${label}: ${name} must be a tensor but is ${show(binding)}`);
    if (binding.gpu !== gpu)
      throw new GpuError(
        'KERNEL',
        `${label}: ${name} (${binding.label}) is on a different Gpu than ${first}; all tensors must be on the same one`,
      );
  }
  return gpu!;
}

function pipelineOf(
  { device, pipelines }: Gpu,
  module: WgslModule,
  label: string,
  entry: string,
  names: readonly string[],
  options: PipelineOptions,
): Pipeline {
  let known = pipelines.get(module);
  if (!known) {
    known = new Map();
    pipelines.set(module, known);
  }
  const key = `${entry}(${names})${JSON.stringify(options)}`;
  let pipeline = known.get(key);
  if (!pipeline) {
    pipeline = new Pipeline(device, label, module, entry, names, options);
    known.set(key, pipeline);
  }
  return pipeline;
}

function rangeOf(label: string, name: string, binding: Binding, wanted: Binding['dtype'] | undefined) {
  const { storage, byteOffset, byteLength, dtype } = binding;
  if (wanted && dtype !== wanted)
    throw new GpuError('KERNEL', `${label}: ${name} must be ${wanted} but ${binding.label} is ${dtype}`);
  return { storage, byteOffset, byteLength };
}

/** The bytes of `Params`, and the fields in them that a {@link Scalar} sets. */
function packParams(label: string, { fields, paramsSize }: WgslModule, params: Params) {
  const given = Object.keys(params);
  if (given.length !== fields.length || fields.some((field) => params[field.name] === undefined)) {
    const wanted = fields.map((field) => field.name);
    throw new GpuError('KERNEL', `${label}: params are {${given}}, but the kernel declares {${wanted}}`);
  }
  const bytes = new ArrayBuffer(paramsSize);
  const view = new DataView(bytes);
  const patches: Patch[] = [];
  for (const field of fields) {
    const param = params[field.name]!;
    const value = scalarValue(param);
    checkParam(label, field, value);
    writeParam(view, field.offset, field.type, value);
    if (param instanceof Scalar) patches.push({ scalar: param, offset: field.offset, type: field.type });
  }
  return { params: bytes, patches };
}

function checkParam(label: string, { name, type }: WgslField, value: number): void {
  if (type !== 'f32' && value !== (type === 'u32' ? value >>> 0 : value | 0))
    throw new GpuError('KERNEL', `${label}: ${name} is ${value}, but the kernel declares it ${type}`);
  if (type === 'f32' && overflowsF32(value))
    throw new RangeError(
      `${label}: ${name} is ${value}, beyond the largest f32 (3.4e38); the kernel would read Infinity`,
    );
}

function gridOf(label: string, grid: Grid, limit: number): Dispatch['grid'] {
  const [x, y = 1, z = 1] = typeof grid === 'number' ? flatGrid(grid, limit) : Array.isArray(grid) ? grid : [-1];
  if (![x, y, z].every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new RangeError(`${label}: grid must be a whole number of workgroups, or three, but is ${show(grid)}`);
  if (x <= limit && y <= limit && z <= limit) return [x, y, z];
  throw new GpuError(
    'LIMIT',
    `${label}: the grid is ${x} x ${y} x ${z} workgroups, but this device allows ${limit} per dimension`,
  );
}

/** A number of workgroups as x * y >= count. A kernel computes its own number as `wid.y * numWorkgroups.x + wid.x`. */
function flatGrid(count: number, limit: number): [number, number] {
  if (count <= limit) return [count, 1];
  const y = Math.ceil(count / limit);
  return [Math.ceil(count / y), y];
}
