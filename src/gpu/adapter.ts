import { flag, type OptionChecks, oneOf } from '../checks/options.ts';
import { type AdapterInfo, Device, readLimits, SUBGROUP_SIZE_CONTROL } from './device.ts';
import { GpuError } from './errors.ts';
import type { Native } from './native.ts';

/** The kind of device that kernels are chosen for: a software adapter (lavapipe, SwiftShader, WARP), or a real GPU. */
export type GpuKind = 'cpu' | 'gpu';

/** The options of `createGpu` that concern the device. */
export interface DeviceOptions {
  /** Your own `GPUDevice`. `gpu.dispose()` does not destroy it. Default: padagrad requests one. */
  device?: Native<'GPUDevice'>;
  /** Whether to accept an adapter that runs on the CPU: `allow`, `refuse`, or `require` (for tests). Default: `allow`. */
  software?: 'allow' | 'refuse' | 'require';
  /** Whether to warn about tensors that were garbage-collected before their `dispose()`. Default: false. */
  validate?: boolean;
  /** `default` keeps the limits of WebGPU's specification, to test portability. Default: `adapter`, the adapter's own limits. */
  limits?: 'adapter' | 'default';
  /** Whether kernels may use subgroups, if the adapter has them. Default: true. */
  subgroups?: boolean;
  /** Chooses kernels for this kind of device. Default: the kind of the adapter. */
  kind?: GpuKind;
  /** More WebGPU features to request by name, if the adapter has them: for your own kernels, or `SUBGROUP_MATRICES` of `padagrad/precision`. */
  features?: readonly string[];
}

/** @internal */
export const deviceChecks: OptionChecks<DeviceOptions> = {
  device: {
    wanted: 'a GPUDevice, as `await adapter.requestDevice()` gives',
    holds: (value) => typeof (value as Partial<GPUDevice> | null)?.createBuffer === 'function',
  },
  software: oneOf('allow', 'refuse', 'require'),
  validate: flag,
  limits: oneOf('adapter', 'default'),
  subgroups: flag,
  kind: oneOf('cpu', 'gpu'),
  features: {
    wanted: 'an array of names',
    holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  },
};

// Sizes of buffers, workgroups and workgroup memory: requested as high as the adapter allows. Other limits keep their defaults.
const SIZES = /^max(Buffer|StorageBuffer(Binding|sPerShader)|Compute(Invocations|WorkgroupS))/;

/** @internal Requests an adapter, and a device with the adapter's limits and the features that the kernels can use. */
export async function requestDevice(gpu: GPU, options: DeviceOptions): Promise<Device> {
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (!adapter || adapter.info?.device === 'null-backend') {
    throw new GpuError(
      'NO_ADAPTER',
      'createGpu: no adapter was found; install a GPU driver, or Mesa lavapipe for a software one (`padagrad doctor` says how)',
    );
  }
  const info = adapterInfo(adapter.info);
  if (options.software === (info.software ? 'refuse' : 'require')) {
    const kind = info.software ? 'a software adapter' : 'a GPU';
    throw new GpuError(
      'NO_ADAPTER',
      `createGpu: software is '${options.software}', but the only adapter is ${kind} (${info.description || info.device})`,
    );
  }
  const wanted = [
    'shader-f16',
    'timestamp-query',
    ...(options.subgroups === false ? [] : ['subgroups', SUBGROUP_SIZE_CONTROL]),
    ...(options.features ?? []),
  ];
  const requiredFeatures = wanted.filter((feature) => adapter.features.has(feature)) as GPUFeatureName[];
  const requiredLimits = options.limits === 'default' ? {} : readLimits(adapter.limits, SIZES);
  const handle = await adapter.requestDevice({ label: 'padagrad', requiredFeatures, requiredLimits });
  return new Device(handle, info, false, adapter.info);
}

/** @internal Wraps the caller's device. */
export function adoptDevice(handle: GPUDevice): Device {
  const info = (handle as { adapterInfo?: GPUAdapterInfo }).adapterInfo;
  return new Device(handle, adapterInfo(info), true, info);
}

const SOFTWARE = /llvmpipe|lavapipe|swiftshader|software|basic render|warp\b/i;

function adapterInfo(info: GPUAdapterInfo | undefined): AdapterInfo {
  const { vendor = '', architecture = '', device = '', description = '' } = info ?? {};
  const software =
    info?.isFallbackAdapter === true || SOFTWARE.test(`${vendor} ${architecture} ${device} ${description}`);
  return { vendor, architecture, device, description, software };
}
