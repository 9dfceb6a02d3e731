import { anything, atLeast, checkOptions, type OptionChecks, show } from '../checks/options.ts';
import { GpuError } from './errors.ts';
import type { Gpu } from './gpu.ts';
import { Pipeline } from './pipeline.ts';
import type { Dispatch, Patch } from './recording.ts';
import { overflowsF32, Scalar, scalarValue } from './scalar.ts';
import type { Binding } from './storage.ts';
import { parseWgsl, type WgslModule } from './wgsl.ts';

/** Workgroups: a count (split over two dimensions where one is too short) or the three dimensions themselves. */
export type Grid = number | readonly [x: number, y?: number, z?: number];

/** Numbers for the fields of `struct Params`, each by its name; a {@link Scalar} may change from run to run. */
export type Params = Readonly<Record<string, number | Scalar>>;

export interface LaunchOptions {
  /** Values of the module's `override` constants, by name. Default: those in the WGSL. */
  constants?: Readonly<Record<string, number>>;
  /** Floating-point operations of the dispatch, for profiles. Default: 0, not counted. */
  flops?: number;
  /** Bytes that the dispatch reads and writes, for profiles. Default: the bytes of all bindings, each counted once. */
  bytes?: number;
}

const launchChecks: OptionChecks<LaunchOptions> = {
  constants: anything,
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

/** A kernel: one function for each entry point of its WGSL. */
export type Kernel<Entry extends string> = Readonly<Record<Entry, Launch>>;

/**
 * Declares a kernel out of WGSL text (several sources are joined into one module) and the entry points it is called by.
 * Nothing touches the GPU before the first call; each device compiles each pipeline once.
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
  const pipelines = new WeakMap<Gpu, Map<string, Pipeline>>();
  const launch =
    (entry: Entry): Launch =>
    (bindings, params, grid, options = {}) => {
      const label = `${name}.${entry}`;
      checkOptions(label, options, launchChecks);
      const { constants = {} } = options;
      const names = Object.keys(bindings);
      const gpu = commonGpu(label, bindings, names);
      let known = pipelines.get(gpu);
      if (!known) {
        known = new Map();
        pipelines.set(gpu, known);
      }
      const key = `${entry}(${names})${JSON.stringify(constants)}`;
      let pipeline = known.get(key);
      if (!pipeline) {
        pipeline = new Pipeline(gpu.device, label, module(), entry, names, constants);
        known.set(key, pipeline);
      }
      const size = gridOf(label, grid, gpu.device.limits.maxComputeWorkgroupsPerDimension!);
      if (size[0] * size[1] * size[2] === 0) return;
      for (const [i, name] of names.entries()) {
        const binding = bindings[name]!;
        if (pipeline.bindings[i]!.type !== 'storage') gpu.queue.onRead?.(binding);
        else if (binding.version) gpu.queue.change(binding.version);
      }
      gpu.queue.push({
        ...dispatch(pipeline, label, module(), bindings, names, params, size),
        ...workOf(bindings, options),
      });
    };
  return Object.fromEntries(entries.map((entry) => [entry, launch(entry)])) as unknown as Kernel<Entry>;
}

function workOf(bindings: Readonly<Record<string, Binding>>, { flops = 0, bytes }: LaunchOptions) {
  return { flops, bytes: bytes ?? Object.values(bindings).reduce((sum, { byteLength }) => sum + byteLength, 0) };
}

function commonGpu(label: string, bindings: Readonly<Record<string, Binding>>, names: readonly string[]): Gpu {
  const [first] = names;
  if (first === undefined) throw new GpuError('KERNEL', `${label}: no tensor was bound`);
  const gpu = bindings[first]?.storage?.gpu;
  for (const name of names) {
    const own = bindings[name]?.storage?.gpu;
    if (!own) throw new TypeError(`${label}: ${name} must be a tensor but is ${show(bindings[name])}`);
    if (own === gpu) continue;
    throw new GpuError('KERNEL', `${label}: ${name} (${bindings[name]!.label}) lives on another Gpu; use one for all`);
  }
  return gpu!;
}

function dispatch(
  pipeline: Pipeline,
  label: string,
  { fields, paramsSize }: WgslModule,
  bindings: Readonly<Record<string, Binding>>,
  names: readonly string[],
  params: Params,
  grid: Dispatch['grid'],
): Omit<Dispatch, 'flops' | 'bytes'> {
  const given = Object.keys(params);
  if (given.length !== fields.length || fields.some((field) => params[field.name] === undefined)) {
    const wanted = fields.map((field) => field.name);
    throw new GpuError('KERNEL', `${label}: params are {${given}}, but the kernel declares {${wanted}}`);
  }
  const bytes = new ArrayBuffer(paramsSize);
  const view = new DataView(bytes);
  const patches: Patch[] = [];
  for (const { name, type, offset } of fields) {
    const param = params[name]!;
    const value = scalarValue(param);
    if (type !== 'f32' && value !== (type === 'u32' ? value >>> 0 : value | 0)) {
      throw new GpuError('KERNEL', `${label}: ${name} is ${value}, but the kernel declares it ${type}`);
    }
    if (type === 'f32' && overflowsF32(value))
      throw new RangeError(
        `${label}: ${name} is ${value}, beyond the largest f32 (3.4e38); the kernel would read Infinity`,
      );
    writeParam(view, offset, type, value);
    if (param instanceof Scalar) patches.push({ scalar: param, offset, type });
  }
  // The ranges as they are now: the tensors may be disposed, or moved, before the work is encoded.
  const ranges = names.map((name, i) => {
    const { storage, byteOffset, byteLength, dtype, label: given } = bindings[name]!;
    const wanted = pipeline.bindings[i]!.dtype;
    if (wanted && dtype !== wanted)
      throw new GpuError('KERNEL', `${label}: ${name} must be ${wanted} but ${given} is ${dtype}`);
    return { storage, byteOffset, byteLength };
  });
  return { pipeline, label, bindings: ranges, params: bytes, patches, grid };
}

/** @internal Writes one field of `Params` as WGSL lays it out. */
export function writeParam(view: DataView, offset: number, type: Patch['type'], value: number): void {
  if (type === 'f32') view.setFloat32(offset, value, true);
  else if (type === 'u32') view.setUint32(offset, value, true);
  else view.setInt32(offset, value, true);
}

function gridOf(label: string, grid: Grid, limit: number): Dispatch['grid'] {
  const [x, y = 1, z = 1] = typeof grid === 'number' ? flatGrid(grid, limit) : Array.isArray(grid) ? grid : [-1];
  if (![x, y, z].every((size) => Number.isSafeInteger(size) && size >= 0))
    throw new RangeError(`${label}: grid must be a whole number of workgroups, or three, but is ${show(grid)}`);
  if (x <= limit && y <= limit && z <= limit) return [x, y, z];
  throw new GpuError(
    'LIMIT',
    `${label}: a grid of ${x} x ${y} x ${z} workgroups, but this device allows ${limit} a dimension`,
  );
}

/** A count of workgroups as x * y >= count: a kernel finds its number as `wid.y * numWorkgroups.x + wid.x`. */
function flatGrid(count: number, limit: number): [number, number] {
  if (count <= limit) return [count, 1];
  const y = Math.ceil(count / limit);
  return [Math.ceil(count / y), y];
}
